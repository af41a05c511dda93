"""What a method of the interface may return."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np

from rtgym_ros.core.errors import InterfaceError


def unpack(answer: Any, method: str, names: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the values that ``method`` returned, of which the last is an info.

    Raises:
        InterfaceError: there are not as many as ``names``, or the last is not a dictionary.
    """
    if not isinstance(answer, (tuple, list)) or len(answer) != len(names):
        raise InterfaceError(f"{method}() must return ({', '.join(names)}), got {answer!r}")
    info = answer[-1]
    if not isinstance(info, dict) and not isinstance(info, Mapping):  # the first is far cheaper to ask
        raise InterfaceError(f"{method}() must return a dictionary as its info, got {info!r}")
    return tuple(answer)


def is_finite_number(value: Any) -> bool:
    """Whether it can be a reward: a number of Python or NumPy, or an array of no dimension."""
    if type(value) is float:
        return isfinite(value)
    array = _array(value)
    return array is not None and array.ndim == 0 and array.dtype.kind in "biuf" and bool(np.isfinite(array))


def is_flag(value: Any) -> bool:
    """Whether it can be ``terminated``: anything with one truth value that is not a measurement."""
    if value is True or value is False:
        return True
    array = _array(value)
    return array is not None and array.size == 1 and array.dtype.kind in "biu"


def is_frame(value: Any) -> bool:
    """Whether it is an RGB picture: a uint8 array of shape (height, width, 3)."""
    return isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3


def _array(value: Any) -> np.ndarray[Any, Any] | None:
    try:
        return np.asarray(value)
    except ValueError:  # a ragged list
        return None
