"""A learning rate that falls with the updates: large steps first, and in the end only small ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rtgym_ros.core.errors import ConfigError

_WHERE = "trainer.agent_kwargs.learning_rate"
_NAMES = ("begin", "end", "updates")
PARTS = ("actor", "critic", "entropy")
"""In the order in which Stable-Baselines3's SAC lists its optimisers."""


@dataclass(frozen=True)
class LearningRate:
    """Goes from ``begin`` to ``end`` by the same factor each update, in ``updates`` updates, and stays there."""

    begin: float
    end: float
    updates: float

    def at(self, updates: int) -> float:
        """Return the learning rate after so many updates."""
        return float(self.begin * (self.end / self.begin) ** min(updates / self.updates, 1.0))


def make_learning_rates(value: Any) -> dict[str, LearningRate]:
    """Return the learning rates of actor, critic and entropy coefficient.

    Raises:
        ConfigError: ``value`` is no number, or map of ``begin``, ``end`` and ``updates``, for all of them; and no map
            of ``actor``, ``critic`` and ``entropy`` with one of these for each.
    """
    if not isinstance(value, dict) or not set(value) & set(PARTS):
        value = dict.fromkeys(PARTS, value)
    elif sorted(value) != sorted(PARTS):
        raise ConfigError(f"{_WHERE} has an entry for each of {', '.join(PARTS)}, got {value!r}")
    return {part: _learning_rate(value[part]) for part in PARTS}


def _learning_rate(value: Any) -> LearningRate:
    numbers = value if isinstance(value, dict) else {"begin": value, "end": value, "updates": 1}
    if sorted(numbers) != sorted(_NAMES):
        raise ConfigError(f"{_WHERE} is a number, or a map of {', '.join(_NAMES)}, got {value!r}")
    for number in numbers.values():
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 < number < float("inf"):
            raise ConfigError(f"{_WHERE} needs numbers above 0, got {value!r}")
    return LearningRate(**numbers)
