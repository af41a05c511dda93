"""A histogram of durations with a fixed size: percentiles of a run of any length, without its trace."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from rtgym_ros.core.time_source import to_s

PERCENTILES = (50, 90, 99)
"""What statistics tell of."""

NO_STATISTICS: Mapping[str, float] = MappingProxyType(
    {"count": 0, "mean": math.nan, **{f"p{percent}": math.nan for percent in PERCENTILES}, "max": math.nan}
)
"""The statistics of nothing."""

_BINS_PER_OCTAVE = 64
"""A bin is 1.1 % wide."""

_OCTAVES = 44
"""Up to 2**44 ns, close to five hours; what is longer counts as that."""


class DurationHistogram:
    """Counts durations in bins whose width grows with them (the idea of HdrHistogram).

    A percentile is exact to 0.6 %; the count, the sum and the maximum are exact.
    """

    def __init__(self) -> None:
        self._counts = [0] * (_BINS_PER_OCTAVE * _OCTAVES + 1)
        self.count = 0
        self.sum_ns = 0
        self.max_ns = 0

    def add(self, duration_ns: int) -> None:
        """Count a duration (ns); one below 1 ns counts as 1 ns."""
        position = math.log2(duration_ns) * _BINS_PER_OCTAVE if duration_ns > 1 else 0.0
        self._counts[min(round(position), len(self._counts) - 1)] += 1
        self.count += 1
        self.sum_ns += duration_ns
        self.max_ns = max(self.max_ns, duration_ns)

    def percentile_ns(self, percent: float) -> float:
        """Return the duration (ns) that ``percent`` of all do not exceed, nan where there are none.

        Args:
            percent: in (0, 100].
        """
        rank = max(math.ceil(self.count * percent / 100), 1)
        for index, count in enumerate(self._counts):
            rank -= count
            if rank <= 0:
                return float(min(2 ** (index / _BINS_PER_OCTAVE), self.max_ns))
        return math.nan

    def statistics(self) -> dict[str, float]:
        """Return count, mean, percentiles and maximum, in seconds; nan where there are none."""
        if not self.count:
            return dict(NO_STATISTICS)
        return {
            "count": self.count,
            "mean": self.sum_ns / self.count / 1e9,
            **{f"p{percent}": self.percentile_ns(percent) / 1e9 for percent in PERCENTILES},
            "max": to_s(self.max_ns),
        }
