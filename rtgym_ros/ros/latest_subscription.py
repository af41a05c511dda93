"""The latest message of a topic, as fresh as it can be when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan, nan
from time import time_ns
from typing import TypeVar

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.time_source import NS_PER_S, to_s
from rtgym_ros.ros.pulled_subscription import PulledSubscription, RawMessage
from rtgym_ros.ros.stamp_order import StampOrder, TransitTime

Message = TypeVar("Message")

WHEN_STALE = ("warn", "truncate", "fail")


def sensor_qos(depth: int) -> QoSProfile:
    """Return best effort, volatile, the last ``depth``: what matches every publisher, and waits for nothing lost."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.VOLATILE,
    )


class LatestSubscription(PulledSubscription[Message]):
    """Holds the message with the newest stamp; what the network has delivered too late is dropped.

    Stamps are compared with earlier stamps of the same topic, never with a clock of this machine: a robot whose clock
    is ahead or behind keeps the protection against reordering, and one whose clock was set back (a simulator that was
    started again) is noticed, counted and followed.

    Args:
        node: whose subscription it is.
        message_type: of the topic.
        topic: its name, usually relative.
        depth: how many messages the middleware keeps between two pulls. 1 is right where messages arrive in order;
            where the network reorders them, the newest stamp is among the last few.
        qos: in place of best effort with ``depth``.
        max_age: older than this (s) is stale; None for never.
        when_stale: what a :class:`~rtgym_ros.ros.ros_interface.RosInterface` does about a stale capture: ``"warn"``,
            ``"truncate"`` (ends the episode) or ``"fail"`` (stops the robot and raises).
        newer_than_reset: whether ``reset()`` waits for a message that is newer than itself; None for all but latched
            topics (transient local), whose last message stays true.
        now_ns: the ROS time (ns); that of the node's clock by default.

    Raises:
        ConfigError: ``max_age`` or ``when_stale`` is none of these.
    """

    def __init__(
        self,
        node: Node,
        message_type: type[Message],
        topic: str,
        depth: int = 1,
        *,
        qos: QoSProfile | None = None,
        max_age: float | None = None,
        when_stale: str = "warn",
        newer_than_reset: bool | None = None,
        now_ns: Callable[[], int] | None = None,
    ) -> None:
        if max_age is not None and not max_age > 0.0:
            raise ConfigError(f"max_age of {topic} must be a time > 0 (s) or None, got {max_age!r}")
        if when_stale not in WHEN_STALE:
            raise ConfigError(f"when_stale of {topic} must be one of {', '.join(WHEN_STALE)}, got {when_stale!r}")
        super().__init__(node, message_type, topic, qos or sensor_qos(depth))
        self.max_age = max_age
        self.when_stale = when_stale
        self.newer_than_reset = (
            self.qos.durability != DurabilityPolicy.TRANSIENT_LOCAL if newer_than_reset is None else newer_than_reset
        )
        self._now_ns = now_ns or (lambda: int(node.get_clock().now().nanoseconds))
        self._order = StampOrder()
        self._transit = TransitTime()
        self._raw: RawMessage | None = None
        self._decoded: Message | None = None
        self._accepted = 0

    @property
    def latest(self) -> Message | None:
        """The newest message taken so far, None before the first; decoded when it is first asked for."""
        if self._decoded is None and self._raw is not None:
            self._decoded = self.decode(self._raw)
        return self._decoded

    @property
    def latest_raw(self) -> RawMessage | None:
        """The newest message taken so far, undecoded, None before the first."""
        return self._raw

    @property
    def stamp_ns(self) -> int:
        """Its header stamp, or the time it was sent where it has none (ns, the robot's clock); 0 before the first."""
        return self._order.newest_ns

    @property
    def accepted(self) -> int:
        """How many messages came that were newer than all before."""
        return self._accepted

    @property
    def dropped(self) -> int:
        """How many messages came after a newer one."""
        return self._order.dropped

    @property
    def clock_resets(self) -> int:
        """How often the robot's clock was set back."""
        return self._order.resets

    @property
    def age(self) -> float:
        """How long ago (s) the latest message was stamped; NaN before the first.

        Where the robot's clock is not this machine's (messages seem to arrive before they were stamped, or seconds
        afterwards) the age is counted from the fastest arrival of the last minutes, which leaves out what the fastest
        message needed.
        """
        if self._raw is None:
            return nan
        return to_s(self._now_ns() - self._order.newest_ns - self._transit.offset_ns)

    @property
    def is_stale(self) -> bool:
        """Whether the latest message is older than ``max_age``; false before the first."""
        if self.max_age is None:
            return False
        age = self.age
        return not isnan(age) and age > self.max_age

    def pull(self) -> list[RawMessage]:
        """Take what has arrived; return what was newer than anything before, oldest first; never wait.

        :meth:`decode` decodes one of them; :attr:`latest` is the last.
        """
        taken = self.take_raw()
        if not taken:
            return taken
        now_ns, resets = self._now_ns(), self._order.resets
        newer = [raw for raw in taken if self._order.offer(raw.stamp_ns, now_ns)]
        if self._order.resets != resets:
            self._transit = TransitTime()
        if newer:
            self._accepted += len(newer)
            raw = self._raw = newer[-1]
            self._decoded = None
            self._transit.add(now_ns - _waited_ns(raw, time_ns()), raw.stamp_ns)
        return newer


def _waited_ns(raw: RawMessage, wall_ns: int) -> int:
    """Return how long a message has waited in the middleware (ns)."""
    if not raw.received_ns:
        return 0
    return min(max(wall_ns - raw.received_ns, 0), NS_PER_S)
