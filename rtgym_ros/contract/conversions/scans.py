"""Ranges of a scan: finite, and of one length."""

from __future__ import annotations

from typing import Literal

import numpy as np

from rtgym_ros.contract.conversions.converter import Array, ConversionError, Converter
from rtgym_ros.contract.messages.skipped import Reason, SkippedMessage

Pick = Literal["min", "mean", "median", "max", "first"]


class RangesConverter(Converter):
    """Makes finite ranges of one length out of those of a scan.

    By REP 117, +inf means that nothing was seen, NaN that the beam measured nothing, and -inf that something is too
    near to be measured: that is 0 here, whatever else is given.

    Args:
        inf: stands for +inf (m); left out, it is ``max``, if that is given.
        nan: stands for NaN (m).
        max: longer ranges become this (m).
        beams: number of ranges that come out; neighbours are taken together, as evenly as can be.
        pick: which range stands for those that are taken together.
    """

    by_entry = True

    def __init__(
        self,
        inf: float | None = None,
        nan: float | None = None,
        max: float | None = None,
        beams: int | None = None,
        pick: Pick = "min",
    ) -> None:
        self._inf, self._nan, self._max, self._beams = inf, nan, max, beams
        self._pick = pick
        self._starts: dict[int, Array] = {}

    def size(self, size: int) -> int:
        """Return ``beams``, or ``size``.

        Raises:
            ConversionError: there are fewer ranges than beams.
        """
        if self._beams is not None and size < self._beams:
            raise ConversionError(f"ranges: {self._beams} beams cannot be made of {size} ranges")
        return size if self._beams is None else self._beams

    def forward(self, values: Array) -> Array:
        """Replace, limit, and take together."""
        values = np.where(values == -np.inf, 0.0, values)
        if self._nan is not None:
            values = np.where(np.isnan(values), self._nan, values)
        if self._inf is not None:
            values = np.where(values == np.inf, self._inf, values)
        if self._max is not None:
            values = np.minimum(values, self._max)
        if self._beams is None or self._beams == len(values):
            return np.asarray(values)
        if len(values) < self._beams:
            raise SkippedMessage(Reason.TOO_SHORT)
        return self._take_together(values, self._beams)

    def _take_together(self, values: Array, beams: int) -> Array:
        starts = self._starts.get(len(values))
        if starts is None:
            starts = self._starts[len(values)] = np.arange(beams) * len(values) // beams
        match self._pick:
            case "min":
                return np.asarray(np.fmin.reduceat(values, starts))
            case "max":
                return np.asarray(np.fmax.reduceat(values, starts))
            case "first":
                return np.asarray(values[starts])
            case "mean":
                return np.asarray(np.add.reduceat(values, starts) / np.diff(starts, append=len(values)))
            case "median":
                return np.array([np.median(group) for group in np.split(values, starts[1:])])
