"""One topic of a contract: what has arrived on it, in the order of its stamps."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from time import time_ns
from typing import Any, NamedTuple

from rtgym_ros.contract.freshness.message_clock import MessageClock
from rtgym_ros.contract.messages.stamp_reader import StampReader
from rtgym_ros.core.time_source import NS_PER_S
from rtgym_ros.ros.pulled_subscription import PulledSubscription

_new = tuple.__new__  # half the cost of the constructor of a named tuple


class Arrived(NamedTuple):
    """A serialised message and when it arrived (ROS time, ns)."""

    data: bytes
    arrived_ns: int


class Stamped(NamedTuple):
    """A serialised message, its stamp (ns of the robot's clock, as :class:`MessageClock` returns it), its arrival."""

    data: bytes
    stamp_ns: int
    arrived_ns: int


_stamp = itemgetter(1)


class ContractTopic:
    """The one subscription of a topic and QoS, whatever reads it: parts of the observation, gates, steps.

    Args:
        subscription: of the topic; nobody else pulls it.
        stamp: reads the stamps; None: the time of arrival stands for them.
        now_ns: the ROS time (ns).

    Attributes:
        clock: of the stamps.
        newest: the message that arrived last; None before the first.
        arrived_ns: when that was (ROS time, ns).
        arrived: how many messages came.
        tap: called with what each pull brings, in the order of its arrival, before anybody reads it.
    """

    def __init__(
        self, subscription: PulledSubscription[Any], stamp: StampReader | None, now_ns: Callable[[], int]
    ) -> None:
        self.subscription = subscription
        self.clock = MessageClock(stamp.wraps_ns if stamp is not None else 0)
        self.newest: bytes | None = None
        self.arrived_ns = 0
        self.arrived = 0
        self._pulled_ns = 0
        self.tap: Callable[[ContractTopic, list[Arrived]], None] | None = None
        self._stamp = stamp if stamp is not None and stamp.has_stamp else None
        self._now_ns = now_ns
        self._readers: list[Callable[[list[Stamped], int], None]] = []
        self._on_arrival: list[Callable[[int], None]] = []

    def add_reader(self, read: Callable[[list[Stamped], int], None]) -> None:
        """Have ``read`` called with what each pull brings, newest stamp first, and how often the clock was set back."""
        self._readers.append(read)

    def add_arrival_reader(self, arrived: Callable[[int], None]) -> None:
        """Have ``arrived`` called with the time of arrival of each message (ROS time, ns), in their order."""
        self._on_arrival.append(arrived)

    def pull(self) -> None:
        """Take what has arrived and hand it on; never wait.

        Raises:
            RosShutdownError: the subscription is gone with its node.
        """
        taken = self.subscription.take_serialised()
        now_ns, pulled_ns = self._now_ns(), self._pulled_ns
        self._pulled_ns = now_ns
        if not taken:
            return
        latest_ns = self.arrived_ns
        if now_ns < pulled_ns:  # the clock was set back
            pulled_ns = latest_ns = 0
        wall_ns = time_ns()
        arrived: list[Arrived] = []
        for data, _, _, received_ns in taken:
            waited_ns = wall_ns - received_ns
            if waited_ns < 0 or not received_ns:
                waited_ns = 0
            elif waited_ns > NS_PER_S:
                waited_ns = NS_PER_S
            # Simulated time may have passed more slowly than it waited, but what is here now came after the last pull.
            arrived_ns = now_ns - waited_ns
            if arrived_ns < pulled_ns:
                arrived_ns = pulled_ns
            latest_ns = arrived_ns if arrived_ns > latest_ns else latest_ns + 1  # in their order, all of them
            arrived.append(_new(Arrived, (data, latest_ns)))
        self.receive(arrived)

    def receive(self, arrived: list[Arrived]) -> None:
        """Hand on messages that have arrived, in this order: those of a pull, or of a recording of one.

        Args:
            arrived: at least one; no time of arrival is before the one before.
        """
        if self.tap is not None:
            self.tap(self, arrived)
        messages: list[Stamped] = []
        clock, restarts = self.clock, self.clock.restarts
        for data, arrived_ns in arrived:
            stamp_ns = None if self._stamp is None else self._stamp.read_ns(data)
            stamp_ns = clock.receive(arrived_ns if stamp_ns is None else stamp_ns, arrived_ns)
            if clock.restarts != restarts:
                restarts = clock.restarts
                messages.clear()  # of the time before the clock was set back
            messages.append(_new(Stamped, (data, stamp_ns, arrived_ns)))
            for read_arrival in self._on_arrival:
                read_arrival(arrived_ns)
        self.newest, self.arrived_ns = arrived[-1]
        self.arrived += len(arrived)
        if len(messages) > 1:
            messages.sort(key=_stamp, reverse=True)
        for read in self._readers:
            read(messages, restarts)

    @property
    def topic(self) -> str:
        """Its full name."""
        return self.subscription.topic
