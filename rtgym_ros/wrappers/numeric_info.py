"""Infos as the recorders of learning libraries want them: numbers alone, under the same keys every time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, SupportsFloat

import gymnasium
import numpy as np
from gymnasium.utils import RecordConstructorArgs

_NAN = np.float64("nan")


class NumericInfo(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Makes each ``info`` a flat dictionary of numbers with the same keys in ``reset()`` and ``step()``.

    Minari's ``DataCollector``, TorchRL's ``auto_register_info_dict()`` and the like stack the infos of an episode, so
    they need a value of the same shape under the same key each time. The entry ``{"age": {"pose": 0.01}}`` becomes
    ``{"age.pose": 0.01}``; numbers and flags become ``np.float64``; numeric arrays stay as they are; what is not there,
    None or not a number (a text) becomes NaN.

    Args:
        env: any environment.
        keys: which entries to keep, as they are called here; those of the first ``reset()`` by default.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], keys: Sequence[str] | None = None) -> None:
        RecordConstructorArgs.__init__(self, keys=None if keys is None else list(keys))
        super().__init__(env)
        self._keys = None if keys is None else tuple(keys)
        self._shapes: dict[str, tuple[int, ...]] = {}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Reset, with a numeric info."""
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, self._numeric(info)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step, with a numeric info."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, reward, terminated, truncated, self._numeric(info)

    def _numeric(self, info: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(_flattened(info))
        if self._keys is None:
            self._keys = tuple(found)
        return {key: self._value(key, found.get(key)) for key in self._keys}

    def _value(self, key: str, value: Any) -> Any:
        if value is None:
            shape = self._shapes.get(key, ())
            return np.full(shape, np.nan) if shape else _NAN
        if value.ndim:
            self._shapes[key] = value.shape
        return value


def _flattened(info: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each entry with its dotted name: an array, a number, or None for what is neither."""
    for name, value in info.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{key}.")
        elif isinstance(value, (bool, int, float, np.number, np.bool_)):
            yield key, np.float64(value)
        else:
            is_numeric = isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
            yield key, value if is_numeric else None
