"""The clock in phase with a periodic observation: the capture falls just after one has arrived.

Observations arrive at ``phase + n * period`` and a little later (jitter); some are lost; the robot's clock drifts. A
second-order loop follows phase and period (an alpha-beta filter on the arrivals); how much later than the loop's line
they come is followed as a quantile, so that nearly all have arrived when the capture comes. Integer ns of one clock.
"""

from __future__ import annotations


class PhaseFollower:
    """Tells by how much to shift the next capture, in every time-step. Not thread-safe.

    Where a time-step is no multiple of the observation's period, or arrivals are spread over all of it, there is no
    phase to hold, and no shift is told.

    Args:
        time_step_ns: duration of a time-step (ns).
        period_ns: of the observation (ns), to within 1 %.
        margin_ns: from the latest usual arrival to the capture (ns).
        share: of the arrivals that shall have come by the capture, less the margin.
        max_shift_ns: most that one time-step is shifted (ns); None is 2 % of it.
        lost_after: this long (in periods) without an arrival, the loop begins anew.

    Raises:
        ValueError: a value is out of range.
    """

    def __init__(
        self,
        time_step_ns: int,
        period_ns: int,
        margin_ns: int = 200_000,
        share: float = 0.9,
        max_shift_ns: int | None = None,
        lost_after: int = 1000,
    ) -> None:
        if time_step_ns <= 0 or period_ns <= 0 or margin_ns < 0 or not 0 < share < 1 or lost_after < 2:
            raise ValueError(
                "time_step_ns and period_ns must be positive, margin_ns not negative, share in (0, 1), lost_after 2 or "
                f"more, got {time_step_ns}, {period_ns}, {margin_ns}, {share}, {lost_after}"
            )
        self._time_step_ns = time_step_ns
        self._nominal_ns = period_ns
        self._margin_ns = margin_ns
        self._share = share
        self._max_shift_ns = time_step_ns // 50 if max_shift_ns is None else max_shift_ns
        self._lost_ns = lost_after * period_ns
        self.restart()

    def restart(self) -> None:
        """Forget all arrivals: the clock was set."""
        self._origin_ns: int | None = None
        self._line_ns = 0.0  # of the last arrival, counted from the origin
        self._period = float(self._nominal_ns)
        self._late = 0.0
        self._jitter = 0.0
        self._arrivals = 0

    @property
    def period_ns(self) -> float:
        """The period as it was found (ns)."""
        return self._period

    @property
    def jitter_ns(self) -> float:
        """How far arrivals are from the line: the median (ns)."""
        return self._jitter

    @property
    def possible(self) -> bool:
        """Whether there is a phase: a time-step is a multiple of the period, and arrivals are not all over it."""
        remainder = self._time_step_ns - round(self._time_step_ns / self._period) * self._period
        return abs(remainder) <= self._max_shift_ns / 2 and self._jitter < _MOST_JITTER * self._period

    @property
    def settled(self) -> bool:
        """Whether enough has arrived to tell the phase."""
        return self._arrivals >= _SETTLED

    def arrived(self, arrival_ns: int) -> None:
        """Note that an observation has arrived (ns), in the order of their arrival."""
        since = 0.0 if self._origin_ns is None else arrival_ns - self._origin_ns - self._line_ns
        if self._origin_ns is None or abs(since) > self._lost_ns:
            self.restart()
            self._origin_ns, self._arrivals = arrival_ns, 1
            return
        periods = max(round(since / self._period), 0)
        residual = since - periods * self._period
        # Quick at first, then slow: the first arrivals know nothing better.
        gain = max(_PHASE_GAIN, 1.0 / (self._arrivals + 1))
        # What comes very late (the machine was busy) must not draw the line after it.
        most = _OUTLIER * max(self._jitter, 10_000.0) if self.settled else self._period
        pull = min(max(residual, -most), most)
        self._line_ns += periods * self._period + gain * pull
        self._period += gain**2 / 4 * pull / max(periods, 1)
        self._period = min(max(self._period, 0.98 * self._nominal_ns), 1.02 * self._nominal_ns)
        if self.settled:
            self._jitter *= 1.0 + (_JITTER_GAIN if abs(residual) > self._jitter else -_JITTER_GAIN)
            self._jitter = max(self._jitter, 1_000.0)
        else:
            self._jitter += (abs(residual) - self._jitter) / self._arrivals
        step = _LATE_GAIN * max(self._jitter, 1_000.0)
        self._late += step * (self._share if residual > self._late else self._share - 1.0)
        self._arrivals += 1

    def shift_ns(self, capture_ns: int) -> int:
        """Return by how much to move the next capture (ns), positive is later; 0 while the phase is not known.

        Args:
            capture_ns: when it is due as things stand (ns).
        """
        if self._origin_ns is None or not self.settled or not self.possible:
            return 0
        wanted = self._line_ns + self._late + self._margin_ns
        error = (capture_ns - self._origin_ns - wanted) % self._period
        # Of the two ways round, the shorter one.
        move = -error if error <= self._period / 2 else self._period - error
        return round(min(max(move, -self._max_shift_ns), self._max_shift_ns))


_PHASE_GAIN = 0.03
_LATE_GAIN = 0.05
_JITTER_GAIN = 0.01
_MOST_JITTER = 0.2
"""Of the period: arrivals anywhere in it are a quarter away from the line, at the median."""

_OUTLIER = 4.0
"""Medians: an arrival farther from the line counts as if it were so far."""

_SETTLED = 50
"""Arrivals after which the phase is believed."""
