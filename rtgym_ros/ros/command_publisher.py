"""Commands to a robot: stamped when they are sent, reliable, and only the newest counts."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

Message = TypeVar("Message")

COMMAND_QOS = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.RELIABLE)
"""Of both ends of a command topic."""


class CommandPublisher(Generic[Message]):
    """Publishes commands on ``topic``; a message with a header is stamped, which identifies it.

    Args:
        node: whose publisher it is.
        message_type: of the topic.
        topic: its name, usually relative.
    """

    def __init__(self, node: Node, message_type: type[Message], topic: str) -> None:
        self._clock = node.get_clock()
        self._publisher = node.create_publisher(message_type, topic, COMMAND_QOS)
        self._has_header = "header" in message_type.get_fields_and_field_types()  # type: ignore[attr-defined]

    def publish(self, message: Any) -> None:
        """Stamp ``message`` with the ROS time and send it."""
        if self._has_header:
            message.header.stamp = self._clock.now().to_msg()
        self._publisher.publish(message)
