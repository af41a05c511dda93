"""The agent's spaces, and values between them and the parts of a contract: dict, tuple or flat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rtgym_ros.contract.records.observation_part import ObservationPart
from rtgym_ros.core.errors import ActionError, ConfigError

Array = NDArray[Any]
Form = Literal["dict", "tuple", "flat"]


def observation_part_space(part: ObservationPart, shape: tuple[int, ...]) -> spaces.Box:
    """Return the space of a part of the observation.

    Args:
        part: of the contract.
        shape: of one capture after ``convert``: (k,), or (height, width, channels).

    Returns:
        Bounds and ``dtype`` of the part, shape ``shape``, one more dimension before it where it has a ``history``.

    Raises:
        ConfigError: ``low`` or ``high`` is a list of another length than k.
    """
    low, high = _bound(part, "low", shape), _bound(part, "high", shape)
    if part.history is not None:
        low, high = (np.broadcast_to(bound, (part.history, *shape)) for bound in (low, high))
    return spaces.Box(low.copy(), high.copy(), dtype=np.dtype(part.dtype).type)


def _bound(part: ObservationPart, name: Literal["low", "high"], shape: tuple[int, ...]) -> Array:
    dtype = np.dtype(part.dtype)
    bound = part.low if name == "low" else part.high
    if isinstance(bound, tuple):
        if shape != (len(bound),):
            raise ConfigError(f"observation.{part.name}.{name} has {len(bound)} values, and the part has shape {shape}")
        return np.asarray(bound, dtype)
    if bound is not None:
        return np.full(shape, bound, dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return np.full(shape, info.min if name == "low" else info.max, dtype)
    return np.full(shape, -np.inf if name == "low" else np.inf, dtype)


class SpaceForm:
    """One of the forms that the agent's space of several parts may have.

    Args:
        form: ``dict``, ``tuple`` (parts in order) or ``flat``: one Box, the values of all parts in order, of a dtype
            that holds all of theirs.
        parts: the spaces of the parts, by name, in order.
    """

    def __init__(self, form: Form, parts: Mapping[str, spaces.Box]) -> None:
        self.form = form
        self.parts = dict(parts)
        self.space = self._space()
        self._only = next(iter(self.parts)) if len(self.parts) == 1 else None

    def arrange(self, values: Mapping[str, Array]) -> Any:
        """Return the values of all parts as an element of ``space``; arrays are not copied but by ``flat``."""
        if self.form == "dict":
            return {name: values[name] for name in self.parts}
        if self.form == "tuple":
            return tuple(values[name] for name in self.parts)
        if self._only is not None:
            return np.asarray(values[self._only]).ravel()
        flat = [np.asarray(values[name]).ravel() for name in self.parts]
        return np.concatenate(flat).astype(self.space.dtype, copy=False)

    def split(self, value: Any) -> dict[str, Array]:
        """Return the values of each part of an element of ``space``; the inverse of ``arrange``.

        Raises:
            ActionError: it has not the form of the space.
        """
        if self.form == "dict":
            if not isinstance(value, Mapping) or set(value) != set(self.parts):
                raise ActionError(f"a dict with the keys {', '.join(self.parts)} is needed, got {value!r}")
            return {name: self._part(name, value[name]) for name in self.parts}
        if self.form == "tuple":
            if not isinstance(value, (tuple, list)) or len(value) != len(self.parts):
                raise ActionError(f"a tuple of {len(self.parts)} arrays is needed, got {value!r}")
            return {name: self._part(name, element) for name, element in zip(self.parts, value, strict=True)}
        array = np.asarray(value)
        if array.shape != self.space.shape:
            raise ActionError(f"an array of shape {self.space.shape} is needed, got shape {array.shape}")
        if self._only is not None:
            space = self.parts[self._only]
            return {self._only: array.reshape(space.shape).astype(space.dtype)}
        values, begin = {}, 0
        for name, space in self.parts.items():
            end = begin + int(np.prod(space.shape))
            values[name] = array[begin:end].reshape(space.shape).astype(space.dtype)
            begin = end
        return values

    def _part(self, name: str, value: Any) -> Array:
        array = np.asarray(value)
        if array.shape != self.parts[name].shape:
            raise ActionError(f"part {name} must have shape {self.parts[name].shape}, got {array.shape}")
        return array.astype(self.parts[name].dtype)

    def _space(self) -> spaces.Space[Any]:
        if self.form == "dict":
            return spaces.Dict(dict[str, spaces.Space[Any]](self.parts))
        if self.form == "tuple":
            return spaces.Tuple(tuple(self.parts.values()))
        dtype = np.result_type(*(space.dtype for space in self.parts.values()))
        low = np.concatenate([space.low.ravel() for space in self.parts.values()]).astype(dtype)
        high = np.concatenate([space.high.ravel() for space in self.parts.values()]).astype(dtype)
        return spaces.Box(low, high, dtype=dtype.type)
