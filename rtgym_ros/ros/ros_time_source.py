"""The simulated clock of ``/clock`` as a time source, so that ``use_sim_time`` works."""

from __future__ import annotations

from time import monotonic, sleep

from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from rtgym_ros.core.errors import ClockJumpError, InterfaceTimeoutError
from rtgym_ros.core.time_source import NS_PER_S, TimeSource, to_s
from rtgym_ros.envs.clock_thread import pause
from rtgym_ros.ros.errors import RosShutdownError
from rtgym_ros.ros.latest_subscription import sensor_qos
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.stamps import leading_stamp_ns

_POLL_S = 0.001
"""Between two looks at a simulated clock (s); simulators advance theirs by 1 to 10 ms."""

_OVERTAKEN_NS = NS_PER_S
"""A message that was sent by so much earlier than the last one, by the clock of its sender's machine, was overtaken on
the network; if by more, it is of another machine."""


class RosTimeSource(TimeSource):
    """The time of ``/clock``, taken from the middleware when it is asked for: no executor can delay it.

    Args:
        node: whose subscription of ``/clock`` it is.
        stall_timeout: how long (s of real time) the clock may stand still while it is waited for.
    """

    poll_period = _POLL_S

    def __init__(self, node: Node, stall_timeout: float) -> None:
        self._clock = PulledSubscription(node, Clock, "/clock", sensor_qos(1))
        self._stall_timeout = stall_timeout
        self._now_ns = 0
        self._sent_ns = 0
        self._jumped_ns = 0
        self._is_closed = False

    def now_ns(self) -> int:
        """Return the time (ns since the clock's epoch; 0 before the first ``/clock``); the last one after the end."""
        try:
            arrived = [] if self._is_closed else self._clock.take_raw()
        except RosShutdownError:
            self._is_closed = True
            arrived = []
        for raw in arrived:
            clock_ns = leading_stamp_ns(raw.data)
            if clock_ns < self._now_ns:
                if 0 < self._sent_ns - raw.source_ns < _OVERTAKEN_NS:
                    continue
                self._jumped_ns += self._now_ns - clock_ns
            self._now_ns, self._sent_ns = clock_ns, raw.source_ns
        return self._now_ns

    def wait_for_first(self, timeout: float) -> None:
        """Wait for the first message on ``/clock``.

        Raises:
            InterfaceTimeoutError: none has come for ``timeout`` (s).
        """
        deadline = monotonic() + timeout
        while self.now_ns() == 0:
            if monotonic() > deadline:
                raise InterfaceTimeoutError(
                    f"use_sim_time is true, but no message on /clock for {timeout:g} s "
                    f"({self._clock.publishers} publishers)"
                )
            pause(_POLL_S)

    def sleep_until_ns(self, deadline_ns: int) -> None:
        """Wait for ``deadline_ns``.

        Raises:
            ClockJumpError: the clock was set back, since the last wait or during this one.
            InterfaceTimeoutError: it stood still for too long.
            RosShutdownError: the node was destroyed.
        """
        seen_ns, seen_at = self.now_ns(), monotonic()
        self._raise_if_set_back()
        while seen_ns < deadline_ns:
            if self._is_closed:
                raise RosShutdownError("the subscription of /clock is gone: its node was destroyed")
            sleep(_POLL_S)
            now_ns = self.now_ns()
            self._raise_if_set_back()
            if now_ns != seen_ns:
                seen_ns, seen_at = now_ns, monotonic()
            elif monotonic() - seen_at > self._stall_timeout:
                raise InterfaceTimeoutError(
                    f"/clock has stood still for {self._stall_timeout:g} s while use_sim_time is true: "
                    "is the simulator running?"
                )

    def close(self) -> None:
        """Destroy the subscription."""
        self._is_closed = True
        self._clock.close()

    def _raise_if_set_back(self) -> None:
        if self._jumped_ns:
            jumped_ns, self._jumped_ns = self._jumped_ns, 0
            raise ClockJumpError(f"/clock was set back by {to_s(jumped_ns):g} s")
