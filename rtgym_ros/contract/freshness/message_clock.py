"""How old a message is by its own stamp, whichever clock that counts from."""

from __future__ import annotations

from collections import deque

_YEAR_NS = 365 * 24 * 3600 * 1_000_000_000
_WINDOW_NS = 60 * 1_000_000_000
_RESTART_NS = 1_000_000_000


class MessageClock:
    """Ages of the messages of one publisher.

    Stamps that count from the ROS epoch are compared with ROS time. Those that do not (a counter since the robot was
    switched on, say) have a clock of their own: how far it is behind ROS time is taken from the message that arrived
    fastest within the last minute, so that the age is 0 for that one, and for others what they took longer. The window
    lets the two clocks drift apart.

    Args:
        wraps_ns: after how long the counter begins anew (ns); 0: never. Such a stamp always has a clock of its own.

    Attributes:
        own_clock: whether the stamps have a clock of their own; None before the first message.
        restarts: how often the publisher's clock was set back.
    """

    def __init__(self, wraps_ns: int = 0) -> None:
        self.own_clock: bool | None = True if wraps_ns else None
        self.restarts = 0
        self._wraps_ns = wraps_ns
        self._newest_ns: int | None = None
        # Differences between arrival and stamp, those that may still become the smallest: it grows from left to right.
        self._differences: deque[tuple[int, int]] = deque()

    def receive(self, stamp_ns: int, arrival_ns: int) -> int:
        """Note a message.

        Args:
            stamp_ns: as it stands in the message.
            arrival_ns: ROS time at which it arrived; not before that of an earlier message.

        Returns:
            the stamp (ns), without wrapping: greater of a newer message.
        """
        newest_ns = self._newest_ns
        if newest_ns is not None and self.own_clock is False and stamp_ns >= newest_ns - _RESTART_NS:
            if stamp_ns > newest_ns:  # nearly all of them
                self._newest_ns = stamp_ns
            return stamp_ns
        if self._wraps_ns:
            stamp_ns = self._unwrapped(stamp_ns)
        if self._newest_ns is not None and stamp_ns < self._newest_ns - _RESTART_NS:
            self.restarts += 1
            self._differences.clear()
            self._newest_ns = None
        if self._newest_ns is None:
            self.own_clock = bool(self._wraps_ns) or abs(arrival_ns - stamp_ns) > _YEAR_NS
        self._newest_ns = stamp_ns if self._newest_ns is None else max(self._newest_ns, stamp_ns)
        if self.own_clock:
            self._learn(arrival_ns - stamp_ns, arrival_ns)
        return stamp_ns

    def sampled_ns(self, stamp_ns: int) -> int:
        """Return the ROS time (ns) that a stamp, as :meth:`receive` returned it, stands for."""
        return stamp_ns + self._differences[0][0] if self.own_clock and self._differences else stamp_ns

    def age_ns(self, stamp_ns: int, now_ns: int) -> int:
        """Return how old (ns) a message is at ``now_ns``, ROS time.

        Args:
            stamp_ns: as :meth:`receive` returned it.
            now_ns: ROS time.
        """
        return now_ns - self.sampled_ns(stamp_ns)

    def _unwrapped(self, stamp_ns: int) -> int:
        if self._newest_ns is None:
            return stamp_ns
        ahead = (stamp_ns - self._newest_ns) % self._wraps_ns
        # Less than half of a turn behind is a message that was overtaken.
        return self._newest_ns + (ahead if ahead < self._wraps_ns / 2 else ahead - self._wraps_ns)

    def _learn(self, difference_ns: int, arrival_ns: int) -> None:
        while self._differences and self._differences[-1][0] >= difference_ns:
            self._differences.pop()
        self._differences.append((difference_ns, arrival_ns))
        while self._differences[0][1] < arrival_ns - _WINDOW_NS:
            self._differences.popleft()
