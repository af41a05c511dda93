"""Observations and actions of samples as a learner of Stable-Baselines3 wants them: one Box, or a Dict of parts."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.protocol.schema import ACTION, OBSERVATION, SampleSchema, leaf_spaces

Arrays = np.ndarray | dict[str, np.ndarray]


class Observations:
    """How records become a batch of observations.

    Where every leaf is a Box (no image) or MultiBinary they are flattened and joined in the order of their space, as
    :func:`rtgym_ros.train.policy.squashed_gaussian_mlp.flatten_into` does on the robot. Otherwise they become a Dict
    with a key per leaf, for networks with a part of their own for each.

    Args:
        schema: of the samples.

    Attributes:
        space: of one observation: a Box, or a Dict.
    """

    def __init__(self, schema: SampleSchema) -> None:
        self._leaves = [
            (OBSERVATION if name == "0" and not _is_nested(schema) else f"{OBSERVATION}/{name}", leaf)
            for name, leaf in leaf_spaces(schema.observation_space)
        ]
        self.space: spaces.Box | spaces.Dict
        if all(_is_flat(leaf) for _, leaf in self._leaves):
            size = sum(prod(leaf.shape or ()) for _, leaf in self._leaves)
            self.space = spaces.Box(-np.inf, np.inf, (size,), np.float32)
        else:
            self.space = spaces.Dict({self.key(name): leaf for name, leaf in self._leaves})

    @staticmethod
    def key(name: str) -> str:
        """Return the key of a leaf; networks do not take dots and slashes in names."""
        return name.replace("/", "_").replace(".", "_")

    def of(self, records: np.ndarray) -> Arrays:
        """Return the observations of records: float32, shape (n, size), or a map of arrays."""
        if isinstance(self.space, spaces.Dict):
            return {self.key(name): records[name] for name, _ in self._leaves}
        flat = np.empty((len(records), *(self.space.shape or ())), np.float32)
        begin = 0
        for name, leaf in self._leaves:
            size = prod(leaf.shape or ())
            flat[:, begin : begin + size] = records[name].reshape(len(records), size)
            begin += size
        return flat


class Actions:
    """How records become a batch of actions in [-1, 1].

    Args:
        schema: of the samples.

    Attributes:
        space: of one action, flat.

    Raises:
        ConfigError: the action is no bounded Box.
    """

    def __init__(self, schema: SampleSchema) -> None:
        space = schema.action_space
        if not isinstance(space, spaces.Box):
            raise ConfigError(f"the action is a {space}: this agent takes one bounded Box")
        low, high = (bound.ravel().astype(np.float32) for bound in (space.low, space.high))
        if not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all()):
            raise ConfigError(f"the action is a {space}: this agent takes a Box whose lows are below its highs")
        self.space = spaces.Box(low, high, dtype=np.float32)
        self._scale = 2.0 / (high.astype(np.float64) - low)

    def scaled(self, records: np.ndarray, name: str = ACTION) -> np.ndarray:
        """Return the actions of records in [-1, 1], float32, shape (n, size).

        Args:
            records: of the schema.
            name: ``"action"`` for what the policy computed, ``"executed"`` for what was sent.
        """
        actions = records[name].reshape(len(records), self.space.low.size)
        scaled: np.ndarray = np.clip((actions - self.space.low) * self._scale - 1.0, -1.0, 1.0)
        return scaled.astype(np.float32)


def _is_nested(schema: SampleSchema) -> bool:
    return schema.observation.kind in ("tuple", "dict")


def _is_flat(leaf: spaces.Space[Any]) -> bool:
    if isinstance(leaf, spaces.MultiBinary):
        return True
    return isinstance(leaf, spaces.Box) and not (leaf.dtype == np.uint8 and len(leaf.shape) == 3)
