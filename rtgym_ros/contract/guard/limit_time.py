"""How much time a command may count for its limits."""

from __future__ import annotations

from rtgym_ros.core.time_source import to_s

_SHORTEST_NS = 1_000_000
"""Least time between two forwarded commands (ns)."""


class LimitTime:
    """Gives each command the time that its limits are reckoned with.

    An environment has limited its commands for its period already. They arrive a little sooner or later than that: if
    the guard reckoned with the time that has really passed, it would cut what came sooner, and lag behind. So a command
    has a whole period although up to a quarter of it is missing; what is missing is owed by those that follow. In any
    span of time the commands change by no more than the limits allow in that span and a quarter of a period.

    Args:
        period_ns: between two commands (ns).
    """

    def __init__(self, period_ns: int) -> None:
        self._period_ns = period_ns
        self._ahead_ns = period_ns // 4
        self._shortest_ns = min(_SHORTEST_NS, self._period_ns)
        self._counted_ns: int | None = None

    def is_enough(self, now_ns: int) -> bool:
        """Whether a command may be forwarded at ``now_ns``; one that comes too soon waits for it."""
        return self._left_ns(now_ns) >= self._shortest_ns

    def spend(self, now_ns: int) -> float:
        """Return the time of a command that is sent at ``now_ns`` (s): a period at most."""
        taken_ns = min(max(self._left_ns(now_ns), self._shortest_ns), self._period_ns)
        if self._counted_ns is None:
            self._counted_ns = now_ns
        else:
            self._counted_ns = max(self._counted_ns + taken_ns, now_ns)
        return to_s(taken_ns)

    def restart(self) -> None:
        """Begin anew: the next command has a whole period."""
        self._counted_ns = None

    def _left_ns(self, now_ns: int) -> int:
        if self._counted_ns is None:
            return self._period_ns
        return now_ns + self._ahead_ns - self._counted_ns
