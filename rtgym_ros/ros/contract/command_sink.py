"""Where commands go: a topic, or the goals of a ROS action."""

from __future__ import annotations

from time import monotonic, sleep
from typing import Any, Protocol

from rclpy.node import Node
from rclpy.task import Future

_POLL_S = 0.002


class CommandSink(Protocol):
    """Sends finished messages; never waits."""

    def publish(self, message: Any) -> None:
        """Send a message, as it is."""


class GoalSink:
    """Sends each command that differs from the one before as the goal of a ROS action; its result is not waited for.

    Args:
        node: of the environment.
        action_type: of the ROS action.
        name: its full name.
    """

    def __init__(self, node: Node, action_type: Any, name: str) -> None:
        from rclpy.action import ActionClient

        self._node = node
        self._client = ActionClient(node, action_type, name)
        self._last: bytes | None = None
        self._answer: Future | None = None

    def publish(self, message: Any) -> None:
        """Send ``message`` as a goal, unless it is what was sent last or nobody serves the action yet."""
        from rclpy.serialization import serialize_message

        data = bytes(serialize_message(message))
        if data != self._last and self._client.server_is_ready():
            self._last = data
            self._answer = self._client.send_goal_async(message)

    def wait_for_acknowledgement(self, timeout: float) -> bool:
        """Wait until the server has answered the last goal, ``timeout`` (s) at most; not what comes of it.

        Returns:
            Whether it has; True where none was sent, or ROS was shut down: no answer can come then.
        """
        deadline = monotonic() + timeout
        while self._answer is not None and not self._answer.done() and self._node.context.ok():
            if monotonic() >= deadline:
                return False
            sleep(_POLL_S)
        return True

    def restart(self) -> None:
        """Send the next command in any case."""
        self._last = None

    def close(self) -> None:
        """End the client."""
        self._client.destroy()
