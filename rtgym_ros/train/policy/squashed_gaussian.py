"""What the policies of SAC and TQC have in common: a Gaussian, squashed by tanh into the action space."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.policy.policy import Policy

_LOG_STD_RANGE = (-20.0, 2.0)


class SquashedGaussian(Policy):
    """Base of the policies whose network gives a mean and the logarithm of a standard deviation."""

    def __init__(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], rng: np.random.Generator
    ) -> None:
        super().__init__(observation_space, action_space, rng)
        if not isinstance(action_space, spaces.Box) or not np.isfinite([action_space.low, action_space.high]).all():
            raise ConfigError(f"this policy needs a bounded Box as its action space, got {action_space}")
        self._bounds = action_space.low, action_space.high
        self._low = action_space.low.astype(np.float32)
        self._half_range = (action_space.high.astype(np.float32) - self._low) / 2

    @abstractmethod
    def network(self, observation: Any, deterministic: bool) -> tuple[np.ndarray, np.ndarray | None] | None:
        """Return mean and log of the standard deviation, of the size of an action.

        None without weights; the deviation may be None, where the policy has none or it is ``deterministic``.
        """

    def act(self, observation: Any, deterministic: bool) -> np.ndarray:
        """Return an action, float32 or the action space's type, in the action space."""
        answered = self.network(observation, deterministic)
        if answered is None:
            drawn: np.ndarray = self._rng.uniform(self._low, self._low + 2 * self._half_range)
        else:
            action, log_std = answered
            if log_std is not None and not deterministic:
                std = np.exp(np.clip(log_std, *_LOG_STD_RANGE))
                action = action + std * self._rng.standard_normal(len(action), dtype=np.float32)
            drawn = self._low + (np.tanh(action).reshape(self._low.shape) + 1) * self._half_range
        # Rounding must not lead out of the space: SB3 and the environment both check.
        clipped: np.ndarray = np.clip(drawn, *self._bounds)
        return clipped.astype(self._bounds[0].dtype)
