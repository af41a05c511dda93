"""Which of a topic's messages is the newest, and how long they travel, by the stamps that their sender gave them."""

from __future__ import annotations

from rtgym_ros.core.time_source import NS_PER_S

_SET_BACK_NS = NS_PER_S
"""A message stamped this long before an earlier one was not overtaken, no network holds it back that long."""

_SET_BACK_AFTER_NS = NS_PER_S // 2
"""How long nothing but older stamps may come until the sender's clock is thought to be set back."""

_SET_BACK_COUNT = 3

_SAME_CLOCK_NS = (-5_000_000, NS_PER_S)
"""Between stamp and arrival where sender and receiver have one clock, to within what NTP leaves (ns)."""

_WINDOW_NS = 60 * NS_PER_S


class StampOrder:
    """Keeps the newest stamp and drops what was overtaken; the first message that is offered is the newest.

    Attributes:
        newest_ns: the newest stamp (ns of the sender's clock), 0 before the first.
        dropped: how many messages were not newer.
        resets: how often the sender's clock was set back.
    """

    def __init__(self) -> None:
        self.newest_ns = 0
        self.dropped = 0
        self.resets = 0
        self._older_since_ns: int | None = None
        self._older = 0

    def offer(self, stamp_ns: int, arrived_ns: int) -> bool:
        """Return whether a message stamped ``stamp_ns``, come at ``arrived_ns`` of the receiver's clock, is newest."""
        if stamp_ns <= self.newest_ns:
            if stamp_ns == self.newest_ns or not self._was_set_back(stamp_ns, arrived_ns):
                self.dropped += 1
                return False
            self.resets += 1
        self.newest_ns = stamp_ns
        self._older_since_ns = None
        return True

    def _was_set_back(self, stamp_ns: int, arrived_ns: int) -> bool:
        if self.newest_ns - stamp_ns >= _SET_BACK_NS:
            return True
        if self._older_since_ns is None:
            self._older_since_ns, self._older = arrived_ns, 0
        self._older += 1
        return self._older >= _SET_BACK_COUNT and arrived_ns - self._older_since_ns >= _SET_BACK_AFTER_NS


class TransitTime:
    """The shortest time between stamp and arrival of the last one to two minutes: transit, and difference of clocks."""

    def __init__(self) -> None:
        self._shortest_ns: int | None = None
        self._before_ns: int | None = None
        self._window_ends_ns = 0

    def add(self, arrived_ns: int, stamp_ns: int) -> None:
        """Add a message."""
        transit_ns = arrived_ns - stamp_ns
        if self._shortest_ns is None or arrived_ns >= self._window_ends_ns:
            self._before_ns, self._shortest_ns = self._shortest_ns, transit_ns
            self._window_ends_ns = arrived_ns + _WINDOW_NS
        elif transit_ns < self._shortest_ns:
            self._shortest_ns = transit_ns

    @property
    def offset_ns(self) -> int:
        """What is to be taken from (arrival - stamp) to get an age (ns): 0 where both have one clock."""
        if self._shortest_ns is None:
            return 0
        shortest_ns = self._shortest_ns if self._before_ns is None else min(self._shortest_ns, self._before_ns)
        return 0 if _SAME_CLOCK_NS[0] <= shortest_ns <= _SAME_CLOCK_NS[1] else shortest_ns
