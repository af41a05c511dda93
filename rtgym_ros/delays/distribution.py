"""A measured distribution in a few figures, with how sure they are."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Quantile(NamedTuple):
    """A quantile and its 95 % confidence interval."""

    value: float
    low: float
    high: float


class Distribution(NamedTuple):
    """What :func:`describe_distribution` found; the unit is that of the values.

    Attributes:
        count: of the values.
        mean: of them.
        p50: the median.
        p99: what 99 % do not exceed.
        maximum: the largest. Of what comes later, a share of about ``1 / count`` will be larger.
    """

    count: int  # type: ignore[assignment]  # in the place of tuple.count(), which is of no use here
    mean: float
    p50: Quantile
    p99: Quantile
    maximum: float


_NONE = Quantile(math.nan, math.nan, math.nan)


def describe_distribution(values: ArrayLike, rng: np.random.Generator, resamples: int = 400) -> Distribution:
    """Return the figures of ``values``, with confidence intervals by the bootstrap (Efron 1979).

    Neighbouring values are resampled together, in blocks of a length that grows with the cube root of their number, so
    that delays that come in bursts do not look surer than they are.

    Args:
        values: in the order in which they were measured; NaN is left out. None is no error: the figures are NaN.
        rng: of the resampling.
        resamples: how many.
    """
    x = np.asarray(values, dtype=float).ravel()
    x = x[np.isfinite(x)]
    if not len(x):
        return Distribution(0, math.nan, _NONE, _NONE, math.nan)
    quantiles = np.array([0.5, 0.99])
    block = max(round(len(x) ** (1 / 3)), 1)
    blocks = -(-len(x) // block)
    # Round the end, so that all values are drawn equally often.
    around = np.concatenate([x, x[: block - 1]])
    resampled = np.empty((resamples, 2))
    for row in range(resamples):
        starts = rng.integers(len(x), size=blocks)
        sample = around[(starts[:, None] + np.arange(block)).ravel()[: len(x)]]
        resampled[row] = np.quantile(sample, quantiles)
    low, high = np.quantile(resampled, [0.025, 0.975], axis=0)
    found = np.quantile(x, quantiles)
    p50, p99 = (Quantile(float(found[i]), float(low[i]), float(high[i])) for i in range(2))
    return Distribution(len(x), float(x.mean()), p50, p99, float(x.max()))
