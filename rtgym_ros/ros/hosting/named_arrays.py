"""Arrays with names as ``rtgym_ros/NamedArray`` and back, without a change of a bit."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from rtgym_ros.msg import NamedArray
from rtgym_ros.record.time_step import Parts

_FIELDS = {"<f4": "float32_values", "<f8": "float64_values", "<i8": "int64_values"}
_OTHERS = "data"
_KINDS = "biufc"


def to_messages(parts: Parts) -> list[Any]:
    """Return a message for each array."""
    messages = []
    for name, value in parts:
        array = np.asarray(value)
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        message = NamedArray(name=name, dtype=array.dtype.str, shape=list(array.shape))
        field = _FIELDS.get(array.dtype.str, _OTHERS)
        flat = np.ascontiguousarray(array).reshape(-1)
        # rclpy's array fields take bytes of their own type; lists of numbers would be checked one by one.
        getattr(message, field).frombytes(flat.tobytes())
        messages.append(message)
    return messages


def from_messages(messages: Sequence[Any]) -> Parts:
    """Return the arrays, writable.

    Raises:
        ValueError: a message contradicts itself: naming the part, its type, and its shape.
    """
    return tuple(_array(message) for message in messages)


def _array(message: Any) -> tuple[str, np.ndarray[Any, Any]]:
    try:
        dtype = np.dtype(message.dtype)
    except TypeError:
        raise ValueError(f"part {message.name!r}: {message.dtype!r} is no dtype of NumPy") from None
    if dtype.kind not in _KINDS:
        raise ValueError(f"part {message.name!r}: dtype {message.dtype!r} is none of numbers")
    shape = tuple(message.shape)
    values = getattr(message, _FIELDS.get(dtype.str, _OTHERS))
    data = values.tobytes()
    if len(data) != prod(shape) * dtype.itemsize:
        raise ValueError(f"part {message.name!r}: {len(values)} values do not make {message.dtype} of shape {shape}")
    return message.name, np.frombuffer(bytearray(data), dtype).reshape(shape)
