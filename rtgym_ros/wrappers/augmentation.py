"""Appending parts to an observation, whatever its space is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

ACTION_BUFFER, DELAYS = "action_buffer", "delays"
"""The keys of the parts in Dict observations."""


class Appended:
    """The observation space with further parts, and its observations.

    A Dict gets them under their names, a Tuple at its end, in their order. A Box of one dimension becomes a longer one,
    if all parts are Boxes of its floating type. Any other space becomes a Dict, itself under ``observation``.

    Args:
        space: of the observation.
        parts: the spaces of the parts, by name; empty changes nothing.

    Attributes:
        space: with the parts.

    Raises:
        ValueError: the observation has a part of that name.
    """

    def __init__(self, space: spaces.Space[Any], parts: Mapping[str, spaces.Space[Any]]) -> None:
        self._names = tuple(parts)
        self.space: spaces.Space[Any]
        if not parts:
            self.space, self._form = space, "same"
        elif isinstance(space, spaces.Dict):
            if twice := sorted(set(space.spaces) & set(parts)):
                raise ValueError(f"the observation already has a part {twice[0]!r}")
            self.space, self._form = spaces.Dict({**space.spaces, **parts}), "dict"
        elif isinstance(space, spaces.Tuple):
            self.space, self._form = spaces.Tuple([*space.spaces, *parts.values()]), "tuple"
        elif _is_flat(space) and all(isinstance(part, spaces.Box) for part in parts.values()):
            boxes = [space, *parts.values()]
            low, high = (np.concatenate([np.ravel(getattr(box, end)) for box in boxes]) for end in ("low", "high"))
            dtype = np.dtype(space.dtype)
            self.space, self._form = spaces.Box(low.astype(dtype), high.astype(dtype), dtype=dtype.type), "flat"
        else:
            self.space, self._form = spaces.Dict({"observation": space, **parts}), "named"

    def append(self, observation: Any, values: Sequence[Any]) -> Any:
        """Return an observation of :attr:`space`.

        Args:
            observation: of the original space; it is not changed.
            values: of the parts, in their order.
        """
        if self._form == "same":
            return observation
        if self._form == "flat":
            return np.concatenate([observation, *map(np.ravel, values)]).astype(self.space.dtype, copy=False)
        if self._form == "tuple":
            return (*observation, *values)
        named = dict(zip(self._names, values, strict=True))
        return {**observation, **named} if self._form == "dict" else {"observation": observation, **named}


def _is_flat(space: spaces.Space[Any]) -> bool:
    return isinstance(space, spaces.Box) and len(space.shape) == 1 and np.dtype(space.dtype).kind == "f"


def action_buffer_space(space: spaces.Space[Any], length: int) -> spaces.Space[Any]:
    """Return the space of the last ``length`` actions: one array where the action is one, else a Tuple."""
    if isinstance(space, spaces.Box):
        shape = (length, *space.shape)
        low, high = np.broadcast_to(space.low, shape), np.broadcast_to(space.high, shape)
        return spaces.Box(low.copy(), high.copy(), dtype=space.dtype.type)
    if isinstance(space, spaces.Discrete):
        return spaces.MultiDiscrete([space.n] * length, start=[space.start] * length)
    return spaces.Tuple([space] * length)


def action_buffer_value(space: spaces.Space[Any], actions: Sequence[Any]) -> Any:
    """Return the element of :func:`action_buffer_space` for ``actions``, oldest first; ``space`` is the action's."""
    if isinstance(space, spaces.Box):
        return np.stack(actions).astype(space.dtype, copy=False)
    if isinstance(space, spaces.Discrete):
        return np.array(actions, dtype=np.int64)
    return tuple(actions)


def neutral_action(space: spaces.Space[Any]) -> Any:
    """Return zero, or what is nearest to it in the space; the first action of a Discrete space.

    Raises:
        ValueError: the space has no such action.
    """
    if isinstance(space, spaces.Box):
        return np.clip(np.zeros(space.shape, space.dtype), space.low, space.high)
    if isinstance(space, spaces.Discrete):
        return space.start
    raise ValueError(f"initial_action must be given for the action space {space}")
