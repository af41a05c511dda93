"""The latest message of a topic, as fresh as it can be when it is asked for."""

from __future__ import annotations

from typing import TypeVar

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.stamps import header_stamp_ns

Message = TypeVar("Message")


class LatestSubscription(PulledSubscription[Message]):
    """A best-effort subscription that holds the message with the newest header stamp.

    Args:
        node: whose subscription it is.
        message_type: of the topic.
        topic: its name, usually relative.
        depth: how many messages the middleware keeps between two pulls. 1 is right where messages arrive in order;
            where the network reorders them, the newest stamp is among the last few.
    """

    def __init__(self, node: Node, message_type: type[Message], topic: str, depth: int = 1) -> None:
        qos = QoSProfile(
            history=HistoryPolicy.KEEP_LAST,
            depth=depth,
            reliability=ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.VOLATILE,
        )
        super().__init__(node, message_type, topic, qos)
        self._latest: Message | None = None
        self._stamp_ns = 0
        self._dropped = 0

    @property
    def latest(self) -> Message | None:
        """The newest message taken so far, None before the first."""
        return self._latest

    @property
    def stamp_ns(self) -> int:
        """Its header stamp, or the time it was sent where it has none (ns of ROS time); 0 before the first."""
        return self._stamp_ns

    @property
    def dropped(self) -> int:
        """How many messages came after a newer one."""
        return self._dropped

    def age_ns(self) -> int:
        """Return how long ago (ns) the latest message was stamped."""
        return int(self._node.get_clock().now().nanoseconds) - self._stamp_ns

    def pull(self) -> list[Message]:
        """Take what has arrived; return what was newer than anything before, oldest first."""
        return [
            message
            for message, information in self.take()
            if self._offer(message, header_stamp_ns(message) or information["source_timestamp"])
        ]

    def _offer(self, message: Message, stamp_ns: int) -> bool:
        # A latest message from the future was stamped before the clock was set back: then the new one is right.
        if stamp_ns <= self._stamp_ns and self.age_ns() >= 0:
            self._dropped += 1
            return False
        self._latest = message
        self._stamp_ns = stamp_ns
        return True
