"""How long before a deadline to stop sleeping: learned from how late this machine wakes up."""

from __future__ import annotations

_RATE = 0.05
"""Weight of the newest wake-up: what the last twenty were like counts."""

_DEVIATIONS = 5.0
"""Mean deviations above the mean that the margin covers: all but one in a hundred wake-ups, as measured at 1 to 20 ms
on a virtual machine with two busy cores. Twice the mean covered as many and spun for up to twice as long."""

_STALL = 6.0
"""Deviations that one wake-up can be off: a single stall must not cost for long."""


class SpinMargin:
    """Follows the mean and the mean deviation of the wake-ups (as TCP's estimate of a round trip, RFC 6298).

    Args:
        least_ns: the least margin (ns).
        most_ns: the most (ns): what one wait may burn of a core.
    """

    __slots__ = ("_deviation_ns", "_least_ns", "_mean_ns", "_most_ns", "ns")

    def __init__(self, least_ns: int, most_ns: int) -> None:
        self._least_ns = least_ns
        self._most_ns = most_ns
        self._mean_ns = 2.0 * least_ns
        self._deviation_ns = 0.4 * least_ns
        self.ns = 4 * least_ns
        """The margin (ns)."""

    def learn(self, overshoot_ns: int) -> None:
        """Take into account that a sleep has lasted ``overshoot_ns`` too long."""
        error_ns = overshoot_ns - self._mean_ns
        limit_ns = _STALL * self._deviation_ns
        error_ns = min(max(error_ns, -limit_ns), limit_ns)
        self._mean_ns += _RATE * error_ns
        self._deviation_ns = max(self._deviation_ns + _RATE * (abs(error_ns) - self._deviation_ns), 1.0)
        margin_ns = int(self._mean_ns + _DEVIATIONS * self._deviation_ns)
        self.ns = min(max(margin_ns, self._least_ns), self._most_ns)
