"""The last captures of a part of the observation."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class History:
    """The last ``length`` captures, oldest first.

    Args:
        length: how many.
        shape: of one.
        dtype: of the values.
    """

    def __init__(self, length: int, shape: tuple[int, ...], dtype: Any) -> None:
        self._captures: Array = np.zeros((length, *shape), dtype)

    def reset(self, capture: Array) -> Array:
        """Begin anew, as if every capture had been ``capture``; return a copy of all, shape ``(length, *shape)``."""
        self._captures[:] = capture
        return self._captures.copy()

    def append(self, capture: Array) -> Array:
        """Add a capture in place of the oldest; return a copy of all, shape ``(length, *shape)``."""
        self._captures[:-1] = self._captures[1:]
        self._captures[-1] = capture
        return self._captures.copy()
