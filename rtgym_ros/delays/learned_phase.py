"""The phase of a periodic observation whose period nobody has told: it is learned from the first arrivals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rtgym_ros.delays.phase import PhaseFollower

LEARNED_FROM = 100
"""Arrivals from which the period is learned."""

_LOOKED_AT = 1000
"""Arrivals after which a phase that cannot be held is given up, and the period learned anew."""


def typical_period_ns(arrivals_ns: Sequence[int]) -> int | None:
    """Return the period of arrivals some of which are missing, or late by less than half of it (ns).

    Each gap is taken as a whole number of median gaps; a line through all arrivals gives the period.

    Args:
        arrivals_ns: in their order, 3 or more.

    Returns:
        The period; None where most come at once.
    """
    times = np.asarray(arrivals_ns, dtype=np.int64)
    gaps = np.diff(times)
    median = float(np.median(gaps))
    if median <= 0:
        return None
    numbers = np.concatenate([[0], np.cumsum(np.rint(gaps / median))])
    if numbers[-1] == 0:
        return None
    slope = np.polyfit(numbers, (times - times[0]).astype(np.float64), 1)[0]
    return max(round(float(slope)), 1)


class LearnedPhase:
    """Learns the period of what arrives, then follows its phase (:class:`~rtgym_ros.delays.phase.PhaseFollower`).

    Where there is no phase to hold, that is said once, and the period is learned anew: the robot may have changed it.
    Not thread-safe.

    Args:
        time_step_ns: duration of a time-step (ns).
        warn: called at most once, with one line that says why there is no phase.
    """

    def __init__(self, time_step_ns: int, warn: Callable[[str], None]) -> None:
        self._time_step_ns = time_step_ns
        self._warn: Callable[[str], None] | None = warn
        self._arrivals: list[int] = []
        self._follower: PhaseFollower | None = None
        self._since = 0

    @property
    def follower(self) -> PhaseFollower | None:
        """What follows the phase; None while the period is being learned."""
        return self._follower

    def arrived(self, arrival_ns: int) -> None:
        """Note that an observation has arrived (ns), in the order of their arrival."""
        follower = self._follower
        if follower is None:
            self._learn(arrival_ns)
            return
        follower.arrived(arrival_ns)
        self._since += 1
        if self._since >= _LOOKED_AT:
            self._since = 0
            if follower.settled and not follower.possible:
                self._give_up(follower)

    def shift_ns(self, next_capture_ns: int) -> int:
        """Return by how much to shift the next capture (ns), 0 while the phase is not known."""
        return 0 if self._follower is None else self._follower.shift_ns(next_capture_ns)

    def _learn(self, arrival_ns: int) -> None:
        if self._arrivals and arrival_ns < self._arrivals[-1]:  # the clock was set back
            self._arrivals.clear()
        self._arrivals.append(arrival_ns)
        if len(self._arrivals) < LEARNED_FROM:
            return
        arrivals, self._arrivals = self._arrivals, []
        period_ns = typical_period_ns(arrivals)
        if period_ns is None:
            return
        self._follower = PhaseFollower(self._time_step_ns, period_ns)
        for arrival in arrivals:
            self._follower.arrived(arrival)

    def _give_up(self, follower: PhaseFollower) -> None:
        self._follower = None
        if self._warn is not None:
            self._warn(
                f"no phase to keep: it comes every {follower.period_ns / 1e6:.3f} ms, "
                f"{follower.jitter_ns / 1e6:.3f} ms off at the median, and a time-step is "
                f"{self._time_step_ns / 1e6:g} ms; it must be a multiple, and the jitter less than a fifth, of the "
                "period"
            )
            self._warn = None
