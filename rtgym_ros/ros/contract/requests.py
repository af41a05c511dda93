"""Service calls and goals that are under way, as the steps of a sequence see them."""

from __future__ import annotations

from typing import Any

from rclpy.client import Client
from rclpy.task import Future

from rtgym_ros.contract.messages.field_path import FieldPathError
from rtgym_ros.contract.messages.field_reader import FieldReader
from rtgym_ros.ros.contract.interface_types import message_layout

_SUCCEEDED = 4
_STATUS = {0: "unknown", 1: "accepted", 2: "executing", 3: "canceling", 4: "succeeded", 5: "canceled", 6: "aborted"}
"""Of ``action_msgs/msg/GoalStatus``."""


class ServiceResponse:
    """A service call that is under way.

    Args:
        client: of the service.
        request: the finished request.
    """

    def __init__(self, client: Client, request: Any) -> None:
        self._client = client
        self._future: Future = client.call_async(request)

    def done(self) -> bool:
        """Return whether the response has come."""
        return bool(self._future.done())

    def field(self, path: str) -> Any:
        """Return a field of the response.

        Raises:
            LookupError: it has no such field.
        """
        response = self._future.result()
        try:
            values = FieldReader(message_layout(type(response)), [path]).message_values(response)
        except FieldPathError as error:
            raise LookupError(str(error)) from error
        if not values:
            raise LookupError(f"the response has no {path}")
        return values[0] if len(values) == 1 else values

    def cancel(self) -> None:
        """Wait for it no longer."""
        if not self._future.done():
            self._client.remove_pending_request(self._future)


class SentGoal:
    """A goal that was sent.

    Args:
        client: of the ROS action.
        goal: the finished goal.
    """

    def __init__(self, client: Any, goal: Any) -> None:
        self._answer: Future = client.send_goal_async(goal)
        self._result: Future | None = None

    def accepted(self) -> bool | None:
        """Return whether it was accepted; None while that is not known."""
        if not self._answer.done():
            return None
        handle = self._answer.result()
        if handle.accepted and self._result is None:
            self._result = handle.get_result_async()
        return bool(handle.accepted)

    def succeeded(self) -> bool | None:
        """Return whether it ended as a success; None while it goes on."""
        if self._result is None or not self._result.done():
            return None
        return bool(self._result.result().status == _SUCCEEDED)

    def status(self) -> str:
        """Return how it stands, in words."""
        if not self._answer.done():
            return "not answered"
        if self._result is not None and self._result.done():
            return _STATUS.get(self._result.result().status, "unknown")
        return _STATUS.get(self._answer.result().status, "unknown")

    def cancel(self) -> None:
        """Ask for its end."""
        if self._answer.done() and self._answer.result().accepted:
            self._answer.result().cancel_goal_async()
        else:
            self._answer.add_done_callback(lambda answer: answer.result() and answer.result().cancel_goal_async())
