"""What the tasks with a target share: drawing it, and the part of the observation that is compared with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.contract.task import Array, Parts
from rtgym_ros.core.errors import ConfigError, nearest


def numbers(name: str, values: Any) -> Array:
    """Return an argument as float64, shape (k,).

    Raises:
        ConfigError: it is no list of finite numbers.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.array([np.nan])
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all():
        raise ConfigError(f"task argument {name} must be a list of finite numbers, got {values!r}")
    return array


def positive(name: str, value: Any) -> float:
    """Return an argument as a float.

    Raises:
        ConfigError: it is no number above 0.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < np.inf:
        raise ConfigError(f"task argument {name} must be a number above 0, got {value!r}")
    return float(value)


class Selection:
    """Some values of one part of the observation.

    Args:
        part: name of the part.
        values: which of its values (indices), in order; None for the first ``count``.
        count: how many.

    Raises:
        ConfigError: not as many indices as values.
    """

    def __init__(self, part: str, values: Sequence[int] | None, count: int) -> None:
        self.part = part
        self.indices = list(range(count)) if values is None else list(values)
        if len(self.indices) != count or not all(type(index) is int and index >= 0 for index in self.indices):
            raise ConfigError(f"task argument values must be {count} indices of values of {part}, got {values!r}")

    def check(self, parts: Mapping[str, spaces.Box]) -> None:
        """Raise a ConfigError where the part, or one of its values, does not exist."""
        if self.part not in parts:
            raise ConfigError(
                f"task argument part is {self.part!r}, which is no part of the observation"
                f"{nearest(self.part, parts)}; allowed: {', '.join(parts)}"
            )
        count = int(np.prod(parts[self.part].shape))
        if max(self.indices) >= count:
            raise ConfigError(f"task argument values is {self.indices}, and {self.part} has {count} values")

    def of(self, observation: Parts) -> Array:
        """Return the values, float64, shape (count,)."""
        return np.asarray(observation[self.part], dtype=np.float64).ravel()[self.indices]


class Target:
    """A target within bounds: given, or drawn anew at each reset.

    Args:
        low: lowest values of targets.
        high: highest values of targets.
        fixed: the target of every episode that is given none; None draws one.

    Raises:
        ConfigError: an argument is no list of numbers, or they do not fit together.
    """

    def __init__(self, low: Any, high: Any, fixed: Any = None) -> None:
        if fixed is not None:
            self._fixed: Array | None = numbers("target", fixed)
            low, high = fixed if low is None else low, fixed if high is None else high
        else:
            self._fixed = None
        if low is None or high is None:
            raise ConfigError("task arguments low and high, or target, must be given")
        self.low, self.high = numbers("low", low), numbers("high", high)
        if self.low.shape != self.high.shape or (self.low > self.high).any():
            raise ConfigError(f"task argument low must be as long as high and not above it, got {low!r} and {high!r}")
        if self._fixed is not None:
            self._check_within(self._fixed)
        self.value = (self.low + self.high) / 2 if self._fixed is None else self._fixed
        self._observed = self._as_observed()

    def space(self) -> spaces.Box:
        """Return the space of targets, float32."""
        return spaces.Box(self.low.astype(np.float32), self.high.astype(np.float32), dtype=np.float32)

    def reset(self, rng: np.random.Generator, options: Mapping[str, Any]) -> Array:
        """Take ``options["target"]``, the fixed target, or a new one, and return it.

        Raises:
            ConfigError: the option is no target.
        """
        given = options.get("target")
        if given is not None:
            self.value = numbers("target", given)
            self._check_within(self.value)
        else:
            self.value = rng.uniform(self.low, self.high) if self._fixed is None else self._fixed
        self._observed = self._as_observed()
        return self.value

    def observed(self) -> Array:
        """Return the target, float32, inside of its space."""
        return self._observed.copy()

    def _as_observed(self) -> Array:
        space = self.space()
        return np.clip(self.value.astype(np.float32), space.low, space.high)

    def _check_within(self, target: Array) -> None:
        if target.shape != self.low.shape or (target < self.low).any() or (target > self.high).any():
            raise ConfigError(
                f"target must lie between {self.low.tolist()} and {self.high.tolist()}, got {target.tolist()}"
            )
