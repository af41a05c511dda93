"""A learning rate that falls with the updates: large steps first, and in the end only small ones."""

from __future__ import annotations

from sys import float_info
from typing import Annotated, Any

import msgspec

from rtgym_ros.core.errors import ConfigError

_WHERE = "trainer.agent_kwargs.learning_rate"
PARTS = ("actor", "critic", "entropy")
"""In the order in which Stable-Baselines3's SAC lists its optimisers."""
_Number = Annotated[float, msgspec.Meta(gt=0, le=float_info.max)]  # not infinite


class LearningRate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Goes from ``begin`` to ``end`` by the same factor each update, in ``updates`` updates, and stays there."""

    begin: _Number
    end: _Number
    updates: _Number

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
    try:
        return msgspec.convert(numbers, LearningRate)
    except msgspec.ValidationError as error:
        names = ", ".join(LearningRate.__struct_fields__)
        raise ConfigError(f"{_WHERE} is a number above 0, or a map of {names}, got {value!r}: {error}") from error
