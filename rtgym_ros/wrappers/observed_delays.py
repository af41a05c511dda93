"""The measured delays as a part of the observation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, SupportsFloat

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.wrappers.augmentation import DELAYS, Appended

UNKNOWN = -1.0
"""Stands in the observation for a delay that is not known (NaN in ``info``)."""


class DelaysPart:
    """The observation part ``delays``: entries of ``info``, each divided by the value that shall be 1.

    A Box of shape (n,), float32: 0 to 1 (longer delays are 1), :data:`UNKNOWN` where one is not known. It is appended
    as the action buffer is; environments that build their observation themselves use it without the wrapper.

    Args:
        scales: key in ``info`` -> the delay that shall be 1, in the unit of that entry: ``{"alpha": 4, "beta": 4}``.

    Raises:
        ConfigError: no key is given, or a scale is not positive and finite.
    """

    def __init__(self, scales: Mapping[str, float]) -> None:
        if not scales:
            raise ConfigError("delays that are observed must be named: {'alpha': 4, 'beta': 4}")
        for key, scale in scales.items():
            if not 0 < scale < math.inf:
                raise ConfigError(f"the scale of the delay {key!r} must be positive and finite, got {scale}")
        self._scales = dict(scales)
        self.space = spaces.Box(UNKNOWN, 1.0, shape=(len(scales),), dtype=np.float32)

    def value(self, info: Mapping[str, Any]) -> np.ndarray[Any, Any]:
        """Return the part for the ``info`` of a time-step; a new array.

        Raises:
            KeyError: ``info`` has no such entry.
        """
        shares = [info[key] / scale for key, scale in self._scales.items()]
        return np.array([UNKNOWN if math.isnan(s) else min(max(s, 0.0), 1.0) for s in shares], dtype=np.float32)


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
        try:
            value = self._part.value(info)
        except KeyError as error:
            raise ConfigError(
                f"info has no delay {error}: it has {', '.join(sorted(map(str, info))) or 'none'}"
            ) from None
        return self._appended.append(observation, [value])
