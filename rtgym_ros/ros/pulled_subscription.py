"""A subscription whose messages are taken from the middleware when they are asked for, and by no executor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSProfile

Message = TypeVar("Message")


class _NeverReady(CallbackGroup):
    """Keeps a subscription out of every executor's wait set: its messages cost nothing until they are pulled."""

    def can_execute(self, entity: Any) -> bool:
        return False

    def beginning_execution(self, entity: Any) -> bool:
        return False

    def ending_execution(self, entity: Any) -> None:
        pass


class PulledSubscription(Generic[Message]):
    """What has arrived on a topic since the last pull.

    Args:
        node: whose subscription it is.
        message_type: of the topic.
        topic: its name, usually relative.
        qos: of the subscription; its depth is what the middleware keeps between two pulls.
    """

    def __init__(self, node: Node, message_type: type[Message], topic: str, qos: QoSProfile) -> None:
        self._node = node
        self._type = message_type
        self._subscription = node.create_subscription(message_type, topic, _never, qos, callback_group=_NeverReady())

    @property
    def topic(self) -> str:
        """The resolved name of the topic."""
        return str(self._subscription.topic_name)

    @property
    def publishers(self) -> int:
        """How many publishers the topic has just now."""
        return int(self._node.count_publishers(self.topic))

    def take(self) -> Iterator[tuple[Message, dict[str, Any]]]:
        """Yield what has arrived, in the order of its arrival, each with the middleware's information on it."""
        handle = self._subscription.handle
        with handle:  # keeps it from being destroyed meanwhile
            while (taken := handle.take_message(self._type, False)) is not None:
                yield taken


def _never(_message: Any) -> None:
    """Stand where rclpy wants a callback: no executor ever calls it."""
