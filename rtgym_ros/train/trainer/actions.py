"""Actions, as the learners of the package take them."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.protocol.schema import SampleSchema


class Actions:
    """How the actions of a schema become a batch in [-1, 1].

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

    def scaled(self, actions: np.ndarray) -> np.ndarray:
        """Return n actions of the space in [-1, 1], float32, shape (n, size)."""
        flat = actions.reshape(len(actions), self.space.low.size)
        scaled: np.ndarray = np.clip((flat - self.space.low) * self._scale - 1.0, -1.0, 1.0)
        return scaled.astype(np.float32)
