"""The measured delays as a part of the observation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, SupportsFloat

import gymnasium
from gymnasium.utils import RecordConstructorArgs

from rtgym_ros.envs.delays_part import DelaysPart
from rtgym_ros.wrappers.augmentation import DELAYS, Appended


class ObservedDelays(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Appends delays that ``info`` tells to the observation.

    A Dict observation gets them as ``delays``, a Tuple at its end, a flat Box is made longer, anything else becomes a
    Dict (:class:`~rtgym_ros.wrappers.augmentation.Appended`).

    Args:
        env: an environment whose ``reset()`` and ``step()`` tell these entries in ``info``.
        scales: see :class:`DelaysPart`.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], scales: Mapping[str, float]) -> None:
        RecordConstructorArgs.__init__(self, scales=dict(scales))
        super().__init__(env)
        self._part = DelaysPart(scales)
        self._appended = Appended(env.observation_space, {DELAYS: self._part.space})
        self.observation_space = self._appended.space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Reset, and append the delays."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._append(observation, info), info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step, and append the delays."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._append(observation, info), reward, terminated, truncated, info

    def _append(self, observation: Any, info: Mapping[str, Any]) -> Any:
        return self._appended.append(observation, [self._part.value(info)])
