"""The shortest time-step that is sustained: down a ladder until one is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

MEAN_WITHIN = 0.01
"""The mean time-step is the nominal one to within this share of it."""

TIMEOUTS_WITHIN = 0.001
"""At most this share of the time-steps timed out."""

_ATTEMPTS = 2
"""One stall of the machine must not end the search."""


def is_sustained(times_ns: ArrayLike, period_ns: int, timeouts: int) -> bool:
    """Return whether events at ``times_ns`` kept up with ``period_ns``, with an elasticity of one time-step."""
    times = np.asarray(times_ns, np.int64)
    intervals = len(times) - 1
    if intervals < 1:
        return False
    mean_ns = (times[-1] - times[0]) / intervals
    return bool(abs(mean_ns - period_ns) <= MEAN_WITHIN * period_ns and timeouts <= TIMEOUTS_WITHIN * intervals)


def shortest_sustained(ladder: Sequence[int], sustains: Callable[[int], bool]) -> int | None:
    """Return the last period before the first that fails twice, None if the first one does.

    Args:
        ladder: periods, longest first.
        sustains: tries one.
    """
    shortest = None
    for period in ladder:
        if not any(sustains(period) for _ in range(_ATTEMPTS)):
            break
        shortest = period
    return shortest
