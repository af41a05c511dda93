"""The observation of an environment by the names of its parts, whatever form its space has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.policies.model import Array

ACTION_BUFFER, DELAYS = "action_buffer", "delays"


class ObservationParts:
    """Splits observations into arrays by name.

    Entries of a Dict are known by their keys. A Tuple or a flat Box is split by ``named``, the parts that the interface
    of the environment puts there in order (``observation_parts``); what follows are the actions and, with
    ``config["delays"] = "observed"``, the delays.

    Args:
        space: of the observation.
        action_space: of the environment.
        actions: how many actions are in the observation.
        named: shape of each part of the interface, in order; of a Dict it is not needed.

    Raises:
        ConfigError: the parts of this space cannot be told apart.

    Attributes:
        shapes: of the parts by name, in the order in which they stand in the space.
    """

    def __init__(
        self,
        space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        actions: int,
        named: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._takers: dict[str, Callable[[Any], Array]] = {}
        self._action_space = action_space
        if isinstance(space, spaces.Dict):
            for name, inner in space.spaces.items():
                self._add_entry(name, name, inner)
        elif isinstance(space, spaces.Tuple) and named is not None:
            for index, name in enumerate(named):
                self._add_entry(name, index, space.spaces[index])
            first, last = len(named), len(named) + actions
            if actions:
                size = spaces.flatdim(action_space)
                self._add(ACTION_BUFFER, (actions, size), lambda o: self._flat_actions(o[first:last]))
            if len(space.spaces) > last:
                self._add_entry(DELAYS, last, space.spaces[last])
        elif isinstance(space, spaces.Box) and named is not None and len(space.shape) == 1:
            shapes = dict(named)
            if actions:
                shapes[ACTION_BUFFER] = (actions, spaces.flatdim(action_space))
            rest = space.shape[0] - sum(map(prod, shapes.values()))
            if rest > 0:
                shapes[DELAYS] = (rest,)
            begin = 0
            for name, shape in shapes.items():
                self._add(name, shape, _slice_of(begin, shape))
                begin += prod(shape)
        else:
            raise ConfigError(f"the parts of the observation have no names, policies need them: {space}")

    def describe(self) -> str:
        """Return the parts and their shapes in one phrase."""
        return ", ".join(f"{name} {shape}" for name, shape in self.shapes.items())

    def take(self, name: str, observation: Any) -> Array:
        """Return the values of a part."""
        return self._takers[name](observation)

    def _add(self, name: str, shape: tuple[int, ...], taker: Callable[[Any], Array]) -> None:
        self.shapes[name] = tuple(map(int, shape))
        self._takers[name] = taker

    def _add_entry(self, name: str, key: Any, inner: spaces.Space[Any]) -> None:
        if isinstance(inner, spaces.Tuple) and all(each == self._action_space for each in inner.spaces):
            shape = len(inner.spaces), spaces.flatdim(self._action_space)
            self._add(name, shape, lambda observation: self._flat_actions(observation[key]))
        elif inner.shape is not None:
            self._add(name, inner.shape, lambda observation: np.asarray(observation[key]))

    def _flat_actions(self, actions: Any) -> Array:
        flat: list[Any] = [spaces.flatten(self._action_space, action) for action in actions]
        return np.stack(flat)


def parts_of(env: Any) -> ObservationParts:
    """Return the parts of the observation of an environment, without its wrappers.

    Raises:
        ConfigError: they cannot be told apart.
    """
    base = env.unwrapped
    config = getattr(base, "config", None)
    actions = config.act_buf_len if config is not None and config.act_in_obs else 0
    # The interface knows them; of an environment that a node elsewhere hosts, that itself.
    named = getattr(getattr(base, "interface", base), "observation_parts", None)
    shapes = None if named is None else {name: space.shape for name, space in named.items()}
    return ObservationParts(base.observation_space, base.action_space, actions, shapes)


def _slice_of(begin: int, shape: tuple[int, ...]) -> Callable[[Any], Array]:
    end = begin + prod(shape)
    return lambda observation: np.asarray(observation)[begin:end].reshape(shape)
