"""The measured delays as a part of the observation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError

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

    @classmethod
    def in_time_steps(cls, longest: float) -> DelaysPart:
        """Return the part with ``alpha``, ``kappa`` and ``beta``, of which ``longest`` time-steps are 1."""
        return cls(dict.fromkeys(("alpha", "kappa", "beta"), longest))

    def value(self, info: Mapping[str, Any]) -> np.ndarray[Any, Any]:
        """Return the part for the ``info`` of a time-step; a new array.

        Raises:
            ConfigError: ``info`` has no such entry.
        """
        try:
            shares = [info[key] / scale for key, scale in self._scales.items()]
        except KeyError as error:
            raise ConfigError(
                f"info has no delay {error}: it has {', '.join(sorted(map(str, info))) or 'none'}"
            ) from None
        return np.array([UNKNOWN if math.isnan(s) else min(max(s, 0.0), 1.0) for s in shares], dtype=np.float32)
