"""Memory that is used again: a large observation costs less to copy where it was copied before."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np

from rtgym_ros.core.bounds import Array


class ArrayRing:
    """Keeps the last few arrays of one shape.

    Args:
        shape: of the arrays.
        dtype: of the arrays.
        slots: how many; the oldest one is overwritten.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], slots: int) -> None:
        self._next: Callable[[], tuple[Array, Array]] = cycle(_slot(shape, dtype) for _ in range(slots)).__next__

    def keep(self, array: Array) -> Array:
        """Return a read-only copy, valid until as many others have been kept as there are slots."""
        written, handed_out = self._next()
        np.copyto(written, array)
        return handed_out


def _slot(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Array, Array]:
    written = np.zeros(shape, dtype)
    handed_out = written.view()
    handed_out.flags.writeable = False
    return written, handed_out
