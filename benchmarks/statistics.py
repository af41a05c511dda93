"""What the figures are: jitter, lateness and drift, from the times (ns) at which something happened, and nothing else.

Every peer is reckoned by the same functions. A peer that tells when it was to happen has its exact lateness as well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

PERCENTILES = (50, 90, 99)

Times = NDArray[np.int64]


def interval_deviations(times_ns: ArrayLike, period_ns: int) -> Times:
    """Return how much longer (+) or shorter (-) than ``period_ns`` each interval between two events was (ns).

    This is the jitter from step to step: it needs no grid, so a peer that lays its grid anew is not punished for it.
    One late event counts twice: a long interval, then a short one.
    """
    return np.diff(np.asarray(times_ns, np.int64)) - period_ns


def grid_lateness(times_ns: ArrayLike, period_ns: int) -> Times:
    """Return how far each event lay behind the ideal grid (ns), one event a ``period_ns``.

    Nobody says where a peer's grid lies, so it is laid where no event comes early: the most punctual one is on it. An
    interval of more than two periods is a time-step that timed out, with the usual elasticity of one time-step; the
    grid begins anew there.
    """
    times = np.asarray(times_ns, np.int64)
    begins = np.flatnonzero(np.diff(times) > 2 * period_ns) + 1
    lateness = [part - period_ns * np.arange(len(part)) for part in np.split(times, begins)]
    return np.concatenate([part - part.min() for part in lateness if len(part)] or [times])


def drift(times_ns: ArrayLike, period_ns: int) -> float:
    """Return how far the last tenth of the events lies behind the grid of the first tenth (ns), by their medians.

    What one event is late does not count in it. A time-step that timed out does, in full: the robot's time went on.
    """
    times = np.asarray(times_ns, np.int64)
    tenth = max(len(times) // 10, 1)
    lateness = times - times[:1] - period_ns * np.arange(len(times))
    return float(np.median(lateness[-tenth:]) - np.median(lateness[:tenth])) if len(times) else float("nan")


def tails(values: ArrayLike) -> dict[str, float]:
    """Return p50, p90, p99 and max: each is a value that was there; nan where there is none."""
    values = np.asarray(values)
    names = [*(f"p{percent}" for percent in PERCENTILES), "max"]
    if not values.size:
        return dict.fromkeys(names, float("nan"))
    found = np.percentile(values, (*PERCENTILES, 100), method="inverted_cdf")
    return dict(zip(names, map(float, found), strict=True))


def in_us(name: str, values_ns: ArrayLike) -> dict[str, float]:
    """Return the tails of ``values_ns`` in microseconds, as ``{"name.p50": ...}``."""
    return {f"{name}.{tail}": value / 1e3 for tail, value in tails(values_ns).items()}


def beyond(values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sorted values, and of each the share of all that is at least as great: the tail, to be drawn."""
    values = np.sort(np.asarray(values, np.float64))
    return values, 1 - np.arange(len(values)) / max(len(values), 1)
