"""The figures of a run: a list over the repeats for each measurement, case, peer and statistic."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

Key = tuple[str, str, str]
"""Measurement, case, peer."""


@dataclass(frozen=True)
class Figures:
    """What one run of one peer came to.

    Attributes:
        statistics: ``{"send_jitter.p50": us, ...}``.
        samples: arrays that are drawn, pooled over the repeats.
    """

    statistics: dict[str, float]
    samples: dict[str, NDArray[Any]] = field(default_factory=dict)


class Results:
    """Collects the figures in the order in which they come."""

    def __init__(self) -> None:
        self._figures: dict[Key, list[Figures]] = defaultdict(list)
        self.failures: list[str] = []
        """One line each."""
        self.skipped: dict[str, str] = {}
        """Measurements that could not be made here, and why."""

    def add(self, measurement: str, case: str, peer: str, figures: Figures) -> None:
        """Keep the figures of one run."""
        self._figures[measurement, case, peer].append(figures)

    def keys(self, measurement: str) -> list[Key]:
        """Return what there is of a measurement."""
        return [key for key in self._figures if key[0] == measurement]

    def values(self, measurement: str, case: str, peer: str, statistic: str) -> list[float]:
        """Return one value a repeat, of those repeats that have one."""
        found = [one.statistics.get(statistic, math.nan) for one in self._figures.get((measurement, case, peer), ())]
        return [value for value in found if not math.isnan(value)]

    def median(self, measurement: str, case: str, peer: str, statistic: str) -> float:
        """Return the median over the repeats, nan where there is no value."""
        values = self.values(measurement, case, peer, statistic)
        return median(values) if values else math.nan

    def worst(self, measurement: str, case: str, peer: str, statistic: str) -> float:
        """Return the greatest absolute value of all repeats, nan where there is none."""
        return max(map(abs, self.values(measurement, case, peer, statistic)), default=math.nan)

    def samples(self, measurement: str, case: str, peer: str, name: str) -> NDArray[Any]:
        """Return the samples of all repeats in one array, an empty one where there are none."""
        found = [one.samples[name] for one in self._figures.get((measurement, case, peer), ()) if name in one.samples]
        return np.concatenate(found) if found else np.empty(0)

    def as_json(self) -> dict[str, Any]:
        """Return medians and every repeat: ``{measurement: {case: {peer: {statistic: {"median", "repeats"}}}}}``."""
        tree: dict[str, Any] = {}
        for key, figures in self._figures.items():
            measurement, case, peer = key
            names = dict.fromkeys(name for one in figures for name in one.statistics)
            tree.setdefault(measurement, {}).setdefault(case, {})[peer] = {
                name: {"median": _or_none(self.median(*key, name)), "repeats": self.values(*key, name)}
                for name in names
            }
        return tree


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
