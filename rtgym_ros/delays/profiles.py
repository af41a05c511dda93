"""Random delays, drawn from a generator that is given: what all profiles are, and the simple ones."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.time_source import to_ns

Draw = Callable[[], float]
"""Returns the delay of the next message (s)."""


class DelayProfile(ABC):
    """A distribution of delays. It has no state: every :meth:`draws` begins a sequence of its own."""

    @property
    @abstractmethod
    def maximum(self) -> float:
        """The longest delay (s), ``inf`` where there is none."""

    @abstractmethod
    def draws(self, rng: np.random.Generator) -> Draw:
        """Return a function that draws the delay of one message after another (s, not negative) from ``rng``."""

    def draws_ns(self, rng: np.random.Generator) -> Callable[[], int]:
        """Return the same in integer nanoseconds."""
        draw = self.draws(rng)
        return lambda: to_ns(draw())

    def _check(self, *names: str, low: float = 0.0, high: float = math.inf) -> None:
        for name in names:
            value = getattr(self, name)
            if not (low <= value <= high and math.isfinite(value)):
                raise ConfigError(f"{type(self).__name__}.{name} must be in [{low:g}, {high:g}], got {value}")

    def _check_order(self, low: str, high: str) -> None:
        if getattr(self, low) > getattr(self, high):
            raise ConfigError(
                f"{type(self).__name__}.{low} must be at most {high} ({getattr(self, high)}), got {getattr(self, low)}"
            )


@dataclass(frozen=True)
class ConstantDelays(DelayProfile):
    """Every message takes ``delay`` (s)."""

    delay: float

    def __post_init__(self) -> None:
        self._check("delay")

    @property
    def maximum(self) -> float:
        """``delay`` itself (s)."""
        return self.delay

    def draws(self, rng: np.random.Generator) -> Draw:
        """Return a function that returns ``delay`` (s)."""
        return lambda: self.delay


@dataclass(frozen=True)
class UniformDelays(DelayProfile):
    """Uniform in [``low``, ``high``] (s), each message on its own: messages overtake each other."""

    low: float
    high: float

    def __post_init__(self) -> None:
        self._check("low", "high")
        self._check_order("low", "high")

    @property
    def maximum(self) -> float:
        """``high`` (s)."""
        return self.high

    def draws(self, rng: np.random.Generator) -> Draw:
        """Return a function that draws delays (s)."""
        return lambda: float(rng.uniform(self.low, self.high))


@dataclass(frozen=True)
class GammaDelays(DelayProfile):
    """``low`` + gamma(``shape``, ``scale``) (s): a network with a long tail (as in Nath et al., arXiv 2108.07555)."""

    low: float
    shape: float
    scale: float

    def __post_init__(self) -> None:
        self._check("low", "scale")
        self._check("shape", low=1e-3)

    @property
    def maximum(self) -> float:
        """Infinite, unless ``scale`` is 0."""
        return math.inf if self.scale else self.low

    def draws(self, rng: np.random.Generator) -> Draw:
        """Return a function that draws delays (s)."""
        return lambda: self.low + float(rng.gamma(self.shape, self.scale))


def describe(profile: DelayProfile) -> str:
    """Return one line for reports and figures: the kind and its values."""
    shown = [f"{f.name}={getattr(profile, f.name):g}" for f in fields(profile) if f.repr]  # type: ignore[arg-type]
    return f"{type(profile).__name__.removesuffix('Delays').lower()} ({', '.join(shown)})"
