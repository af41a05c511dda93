"""Observations and actions of samples as flat arrays, for a learner that knows one Box for each."""

from __future__ import annotations

from math import prod

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.protocol.schema import ACTION, OBSERVATION, SampleSchema, leaf_spaces


class Observations:
    """How records become a batch of observations: flattened and joined in the order of their space.

    :func:`rtgym_ros.train.policy.squashed_gaussian_mlp.flatten_into` does the same on the robot.

    Args:
        schema: of the samples.

    Attributes:
        space: of one observation.

    Raises:
        ConfigError: a leaf is neither Box nor MultiBinary.
    """

    def __init__(self, schema: SampleSchema) -> None:
        nested = schema.observation.kind in ("tuple", "dict")
        leaves = [
            (f"{OBSERVATION}/{name}" if nested else OBSERVATION, leaf)
            for name, leaf in leaf_spaces(schema.observation_space)
        ]
        for name, leaf in leaves:
            if not isinstance(leaf, (spaces.Box, spaces.MultiBinary)):
                raise ConfigError(f"{name} is a {leaf}: this agent takes Box and MultiBinary; preprocess it")
        self._columns = [(name, prod(leaf.shape or ())) for name, leaf in leaves]
        self.space = spaces.Box(-np.inf, np.inf, (sum(size for _, size in self._columns),), np.float32)

    def of(self, records: np.ndarray) -> np.ndarray:
        """Return the observations of records, float32, shape (n, size)."""
        flat = np.empty((len(records), *self.space.shape), np.float32)
        begin = 0
        for name, size in self._columns:
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
