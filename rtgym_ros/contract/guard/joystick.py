"""From the axes of a joystick to the values of a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rtgym_ros.contract.conversions.converter import ConversionError
from rtgym_ros.contract.records.action_part import Quantity

Array = np.ndarray[Any, Any]


class JoystickMap:
    """Maps axes, -1 to 1, to ``low`` to ``high`` of one part.

    An axis at rest is 0 of velocities, accelerations and efforts that may be 0, also where the bounds are not the same
    on both sides: each side has its own scale then.

    Args:
        low: least values, shape ``(size,)``.
        high: greatest values.
        quantities: what each value is.

    Raises:
        ConversionError: a bound is infinite.
    """

    def __init__(self, low: Array, high: Array, quantities: Sequence[Quantity]) -> None:
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise ConversionError("fields: a joystick is mapped to low and high, which must be finite")
        zero = np.array([quantity != "position" for quantity in quantities]) & (low < 0) & (high > 0)
        self._middle = np.where(zero, 0.0, (low + high) / 2)
        self._below, self._above = self._middle - low, high - self._middle

    def values(self, axes: Array) -> Array:
        """Return the command of ``axes``, shape ``(size,)``; what is beyond -1 or 1 counts as that."""
        axes = np.clip(axes, -1.0, 1.0)
        return np.asarray(self._middle + np.where(axes < 0, self._below, self._above) * axes)
