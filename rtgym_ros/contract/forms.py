"""The agent's spaces, and values between them and the parts of a contract: dict, tuple or flat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rtgym_ros.contract.records.observation_part import ObservationPart
from rtgym_ros.core.errors import ConfigError

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

    Attributes:
        space: the agent's.
        arrange: takes the values of all parts by name, and returns them as an element of ``space``; arrays are
            not copied but by ``flat``.
        places: where the values of each part, flattened, stand in an element of it: what to put in its brackets.
    """

    def __init__(self, form: Form, parts: Mapping[str, spaces.Box]) -> None:
        self.form = form
        self.parts = dict(parts)
        self.space = self._space()
        self.places: dict[str, Any] = self._places()
        self.arrange: Callable[[Mapping[str, Array]], Any] = {
            "dict": self._arrange_dict,
            "tuple": itemgetter(*self.parts) if len(self.parts) > 1 else self._arrange_one,
            "flat": self._arrange_flat,
        }[form]

    def _arrange_dict(self, values: Mapping[str, Array]) -> dict[str, Array]:
        return {name: values[name] for name in self.parts}

    def _arrange_one(self, values: Mapping[str, Array]) -> tuple[Array, ...]:
        return tuple(values[name] for name in self.parts)

    def _arrange_flat(self, values: Mapping[str, Array]) -> Array:
        flat = [np.asarray(values[name]).ravel() for name in self.parts]
        return flat[0] if len(flat) == 1 else np.concatenate(flat).astype(self.space.dtype, copy=False)

    def _places(self) -> dict[str, Any]:
        if self.form == "dict":
            return {name: name for name in self.parts}
        if self.form == "tuple":
            return {name: place for place, name in enumerate(self.parts)}
        ends = np.cumsum([0, *(int(np.prod(space.shape)) for space in self.parts.values())]).tolist()
        ends[-1] = None  # to the end, so that an element that is too long is too long for the last part
        return {name: slice(begin, end) for name, begin, end in zip(self.parts, ends, ends[1:], strict=False)}

    def _space(self) -> spaces.Space[Any]:
        if self.form == "dict":
            return spaces.Dict(dict[str, spaces.Space[Any]](self.parts))
        if self.form == "tuple":
            return spaces.Tuple(tuple(self.parts.values()))
        dtype = np.result_type(*(space.dtype for space in self.parts.values()))
        low = np.concatenate([space.low.ravel() for space in self.parts.values()]).astype(dtype)
        high = np.concatenate([space.high.ravel() for space in self.parts.values()]).astype(dtype)
        return spaces.Box(low, high, dtype=dtype.type)
