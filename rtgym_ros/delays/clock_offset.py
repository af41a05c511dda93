"""How far the clock of another machine is off, from the stamps of messages that went there and back.

Let the other clock show ``f(t)`` when ours shows ``t``. A message that left at ``sent`` and was stamped ``remote``
there says ``f(sent) <= remote``; one that was stamped ``remote`` there and came at ``received`` says
``remote <= f(received)``. So the offset ``f(t) - t`` is at most ``remote - sent`` and at least ``remote - received``,
whatever the ways took. The fastest messages give the narrowest bounds (the minimum filter of NTP: Mills, IEEE Trans.
Comm. 39 (10), 1991). Two quartz clocks drift by tens of ppm, and evenly for minutes: all bounds must hold of one line.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class OffsetEstimate(NamedTuple):
    """What is known of the other clock at some time of ours.

    Attributes:
        offset_ns: what the other clock shows more than ours (ns): the middle of what is possible.
        uncertainty_ns: the truth is within this, as long as the other clock runs evenly (ns). Half of the fastest round
            trip is left for ever: no stamps tell how it was divided between the two ways.
        drift: seconds that the other clock gains on ours in a second; 50e-6 are 50 ppm.
        drift_uncertainty: the true drift is within this.
    """

    offset_ns: int
    uncertainty_ns: int
    drift: float
    drift_uncertainty: float


class _Line(NamedTuple):
    """Lines that satisfy all bounds: where they pass at ``origin_ns``, and their slopes."""

    origin_ns: int
    low_ns: int
    high_ns: int
    slope: float
    slope_low: float
    slope_high: float


class ClockOffset:
    """Estimates offset and drift of another clock. Not thread-safe.

    Of every window of time the narrowest bound of each side is kept. Where the kept bounds contradict each other (the
    other clock was set, or did not run evenly), the older half is forgotten, until they agree.

    Args:
        window: length of a window (s).
        windows: how many are kept.
        max_drift: no clock drifts by more (a ratio).
    """

    def __init__(self, window: float = 1.0, windows: int = 300, max_drift: float = 500e-6) -> None:
        self._max_drift = max_drift
        self._lows = _Extremes(round(window * 1e9), windows, 1)
        self._highs = _Extremes(round(window * 1e9), windows, -1)
        self._line: _Line | None = None

    def add_round_trip(self, sent_ns: int, remote_ns: int, received_ns: int) -> None:
        """Add a message that was stamped by the other machine on its way; ``sent``, ``received`` of our clock (ns)."""
        self.add_departure(sent_ns, remote_ns)
        self.add_arrival(remote_ns, received_ns)

    def add_departure(self, sent_ns: int, remote_ns: int) -> None:
        """Add what left at ``sent_ns`` (our clock) and was there at ``remote_ns`` (the other clock; both ns)."""
        if self._highs.add(sent_ns, remote_ns - sent_ns):
            self._line = None

    def add_arrival(self, remote_ns: int, received_ns: int) -> None:
        """Add what was stamped ``remote_ns`` (the other clock) and here at ``received_ns`` (our clock; both ns)."""
        if self._lows.add(received_ns, remote_ns - received_ns):
            self._line = None

    def at(self, now_ns: int) -> OffsetEstimate | None:
        """Return the estimate for ``now_ns`` of our clock, None before there are bounds of both sides."""
        line = self._line or self._fit()
        if line is None:
            return None
        since = now_ns - line.origin_ns
        drift_uncertainty = max(line.slope_high - line.slope, line.slope - line.slope_low)
        half = (line.high_ns - line.low_ns) / 2 + drift_uncertainty * abs(since)
        offset_ns = (line.low_ns + line.high_ns) // 2 + round(line.slope * since)
        return OffsetEstimate(offset_ns, int(np.ceil(half)) + 1, line.slope, drift_uncertainty)

    def to_ours(self, remote_ns: int, now_ns: int) -> tuple[int, int] | None:
        """Return the time of our clock when the other showed ``remote_ns``, and its uncertainty (ns).

        Args:
            remote_ns: a stamp of the other clock (ns).
            now_ns: of our clock (ns), soon after: only the drift since then depends on it.

        Returns:
            None where there is no estimate yet.
        """
        now = self.at(now_ns)
        if now is None:
            return None
        age_ns = now_ns - (remote_ns - now.offset_ns)
        # The offset of that time, not of now.
        return now_ns - age_ns + round(now.drift * age_ns), now.uncertainty_ns + round(now.drift_uncertainty * age_ns)

    def _fit(self) -> _Line | None:
        while self._lows.kept and self._highs.kept:
            line = _lines_between(self._lows.kept, self._highs.kept, self._max_drift)
            if line is not None:
                self._line = line
                return line
            newest_ns = max(self._lows.kept[-1][0], self._highs.kept[-1][0])
            oldest_ns = min(self._lows.kept[0][0], self._highs.kept[0][0])
            half_ns = (oldest_ns + newest_ns + 1) // 2
            self._lows.forget_before(half_ns)
            self._highs.forget_before(half_ns)
        return None


class _Extremes:
    """The largest (``sign`` 1) or smallest (-1) value of each window of time, with its time."""

    def __init__(self, window_ns: int, windows: int, sign: int) -> None:
        self._window_ns = window_ns
        self._sign = sign
        self._began_ns: int | None = None
        self.kept: deque[tuple[int, int]] = deque(maxlen=windows)

    def add(self, at_ns: int, value: int) -> bool:
        """Return whether it was kept."""
        if self._began_ns is None or not self.kept or abs(at_ns - self._began_ns) >= self._window_ns:
            self._began_ns = at_ns
            self.kept.append((at_ns, value))
            return True
        if self._sign * (value - self.kept[-1][1]) <= 0:
            return False
        self.kept[-1] = (at_ns, value)
        return True

    def forget_before(self, at_ns: int) -> None:
        while self.kept and self.kept[0][0] < at_ns:
            self.kept.popleft()


def _lines_between(lows: deque[tuple[int, int]], highs: deque[tuple[int, int]], max_slope: float) -> _Line | None:
    """Return the lines above all of ``lows`` and below all of ``highs``, None where there are none."""
    origin_ns, base_ns = max(lows[-1][0], highs[-1][0]), lows[-1][1]
    # Differences are taken as integers: stamps of today lose 256 ns as floats.
    low_x, low = np.array([(at_ns - origin_ns, value - base_ns) for at_ns, value in lows], dtype=float).T
    high_x, high = np.array([(at_ns - origin_ns, value - base_ns) for at_ns, value in highs], dtype=float).T

    def floor(slope: float) -> float:  # convex in the slope
        return float(np.max(low - slope * low_x))

    def ceiling(slope: float) -> float:  # concave
        return float(np.min(high - slope * high_x))

    def room(slope: float) -> float:
        return ceiling(slope) - floor(slope)

    best = _argmax(room, -max_slope, max_slope)
    if room(best) < 0:
        return None
    slope_low = _edge(room, best, -max_slope)
    slope_high = _edge(room, best, max_slope)
    lowest = floor(_argmax(lambda slope: -floor(slope), slope_low, slope_high))
    highest = ceiling(_argmax(ceiling, slope_low, slope_high))
    return _Line(
        origin_ns, base_ns + int(np.floor(lowest)), base_ns + int(np.ceil(highest)), best, slope_low, slope_high
    )


_GOLDEN = (5**0.5 - 1) / 2


def _argmax(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a concave function is largest, by golden-section search."""
    a, b = low, high
    c, d = b - _GOLDEN * (b - a), a + _GOLDEN * (b - a)
    at_c, at_d = function(c), function(d)
    for _ in range(60):
        if at_c >= at_d:
            b, d, at_d = d, c, at_c
            c = b - _GOLDEN * (b - a)
            at_c = function(c)
        else:
            a, c, at_c = c, d, at_d
            d = a + _GOLDEN * (b - a)
            at_d = function(d)
    return (a + b) / 2


def _edge(room: Callable[[float], float], inside: float, outside: float) -> float:
    """Return the slope farthest towards ``outside`` that leaves room, rounded outwards, by bisection."""
    if room(outside) >= 0:
        return outside
    for _ in range(60):
        middle = (inside + outside) / 2
        if room(middle) >= 0:
            inside = middle
        else:
            outside = middle
    return outside
