"""The clock of a ROS node as a time source, so that ``use_sim_time`` works."""

from __future__ import annotations

from time import monotonic, sleep

from rclpy.clock import ROSClock

from rtgym_ros.core.errors import InterfaceTimeoutError
from rtgym_ros.core.time_source import MonotonicTimeSource, TimeSource

_POLL_S = 0.0005
"""Between two looks at a simulated clock (s); simulators advance theirs by 1 to 10 ms."""


class RosTimeSource(TimeSource):
    """ROS time: that of ``/clock`` with ``use_sim_time``, the system's otherwise.

    Args:
        clock: a node's clock; something else spins the node, so that ``/clock`` is heard.
        stall_timeout: how long (s of real time) a simulated clock may stand still while it is waited for.
    """

    def __init__(self, clock: ROSClock, stall_timeout: float) -> None:
        self._clock = clock
        self._stall_timeout = stall_timeout
        self._monotonic = MonotonicTimeSource()

    def now_ns(self) -> int:
        """Return the ROS time (ns since the epoch; 0 before the first ``/clock``)."""
        return int(self._clock.now().nanoseconds)

    def sleep_until_ns(self, deadline_ns: int) -> None:
        """Wait for ``deadline_ns`` of ROS time.

        Raises:
            InterfaceTimeoutError: the simulated clock stood still for too long.
        """
        if not self._clock.ros_time_is_active:
            self._monotonic.spins = self.spins
            self._monotonic.sleep_until_ns(self._monotonic.now_ns() + deadline_ns - self.now_ns())
            return
        seen_ns, seen_at = self.now_ns(), monotonic()
        while seen_ns < deadline_ns:
            sleep(_POLL_S)
            now_ns = self.now_ns()
            if now_ns != seen_ns:
                seen_ns, seen_at = now_ns, monotonic()
            elif monotonic() - seen_at > self._stall_timeout:
                raise InterfaceTimeoutError(
                    f"/clock has stood still for {self._stall_timeout:g} s while use_sim_time is true: "
                    "is the simulator running?"
                )
