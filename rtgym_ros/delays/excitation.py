"""Gentle random motion from which delays can be told: steps away from a middle, each followed by its opposite."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rtgym_ros.core.errors import ConfigError

Floats = NDArray[np.float64]


class Excitation:
    """Returns one action a time-step: ``middle`` and a random step, held for a while, then the same step the other way.

    A robot that is commanded by velocity, or by steps of its position, comes back to where it was after each pair. Each
    value has steps of its own, so that the responses can be told apart.

    Args:
        low: least action.
        high: greatest action.
        middle: action from which the steps go, within the bounds.
        amplitude: the largest step, as a share of the way from ``middle`` to the nearer bound: above 0, up to 1.
        rng: of the steps.
        shortest: a step is held so many time-steps at least.
        longest: and so many at most.

    Raises:
        ConfigError: the bounds are not finite, ``middle`` is not inside, or ``amplitude`` is out of range.
    """

    def __init__(
        self,
        low: ArrayLike,
        high: ArrayLike,
        middle: ArrayLike,
        amplitude: float,
        rng: np.random.Generator,
        shortest: int = 2,
        longest: int = 8,
    ) -> None:
        bottom, top, self._middle = (np.ravel(np.asarray(a, dtype=np.float64)) for a in (low, high, middle))
        if not (np.isfinite(bottom).all() and np.isfinite(top).all()):
            raise ConfigError("an action that has no bounds cannot be moved gently within them: give low and high")
        if not ((bottom <= self._middle) & (self._middle <= top)).all():
            raise ConfigError(f"the default action {self._middle.tolist()} is not inside of its bounds")
        if not 0 < amplitude <= 1 or not math.isfinite(amplitude):
            raise ConfigError(f"amplitude must be above 0 and up to 1, got {amplitude}")
        if not 1 <= shortest <= longest:
            raise ConfigError(f"steps must last from 1 time-step, got {shortest} to {longest}")
        self._reach = amplitude * np.minimum(self._middle - bottom, top - self._middle)
        # From the edge of its range a value can go one way only: it goes there and back to the edge.
        self._one_way = self._reach == 0
        inward = np.where(self._middle == bottom, 1.0, -1.0) * amplitude * (top - bottom)
        self._reach = np.where(self._one_way, inward, self._reach)
        self._rng = rng
        self._lengths = (shortest, longest)
        size = len(self._middle)
        self._step = np.zeros(size)
        self._left = np.zeros(size, dtype=int)
        self._length = np.zeros(size, dtype=int)
        self._is_return = np.ones(size, dtype=bool)

    def next(self) -> Floats:
        """Return the action of the next time-step, shape (n,), a new array."""
        for at in np.flatnonzero(self._left == 0):
            self._begin(int(at))
        self._left -= 1
        return self._middle + self._step

    def _begin(self, at: int) -> None:
        self._is_return[at] = not self._is_return[at]
        if self._is_return[at]:
            self._step[at] = 0.0 if self._one_way[at] else -self._step[at]
        else:
            share = self._rng.uniform(0.4, 1.0) * (1.0 if self._one_way[at] else self._rng.choice([-1.0, 1.0]))
            self._step[at] = share * self._reach[at]
            self._length[at] = self._rng.integers(self._lengths[0], self._lengths[1] + 1)
        self._left[at] = self._length[at]
