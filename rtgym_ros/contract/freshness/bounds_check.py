"""Whether an observation lies within its bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtgym_ros.contract.freshness.outcome import OF_VERB, Outcome, Verb
from rtgym_ros.core.bounds import make_is_inside

Array = np.ndarray[Any, Any]


class BoundsCheck:
    """Holds the values of one part of the observation against ``low`` and ``high``.

    Args:
        low: least values, of the shape of the observation.
        high: greatest values.
        out_of_bounds: what happens when a value is outside. NaN always fails: nobody can say what it should have been.

    Attributes:
        outside: how many captures were out of bounds.
        is_inside: whether values are within them, and there is nothing to check.
    """

    def __init__(self, low: Array, high: Array, out_of_bounds: Verb) -> None:
        self._low, self._high = low, high
        self.is_inside = make_is_inside(low, high)
        self._clips = out_of_bounds == "clip"
        self._outcome = OF_VERB[out_of_bounds]
        self.outside = 0

    def check(self, values: Array) -> tuple[Array, Outcome]:
        """Return the values as the agent may have them, and what they lead to."""
        if self.is_inside(values):
            return values, Outcome.FINE
        self.outside += 1
        if np.isnan(values).any():
            return values, Outcome.FAIL
        if self._clips:
            values = np.minimum(np.maximum(values, self._low), self._high).astype(values.dtype)
        return values, self._outcome

    def message(self, name: str, values: Array) -> str:
        """Return one line on the first value that is outside."""
        place = np.unravel_index(int(np.argmax(~((self._low <= values) & (values <= self._high)))), values.shape)
        index = ", ".join(str(int(i)) for i in place)
        return f"{name}[{index}]: {values[place]:g}; allowed: {self._low[place]:g} to {self._high[place]:g}"
