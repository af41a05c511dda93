"""A learning rate that falls with the updates: large steps first, and in the end only small ones."""

from __future__ import annotations

from typing import Any

from rtgym_ros.core.errors import ConfigError

_WHERE = "trainer.agent_kwargs.learning_rate"
_NAMES = ("begin", "end", "updates")
PARTS = ("actor", "critic", "entropy")
"""In the order in which Stable-Baselines3's SAC lists its optimisers."""


class LearningRate:
    """Goes from ``begin`` to ``end`` by the same factor each update, in ``updates`` updates, and stays there.

    Called as Stable-Baselines3 calls a schedule, whose argument tells of a loop that does not run here.

    Attributes:
        updates_done: to be kept up to date.
    """

    def __init__(self, begin: float, end: float, updates: int) -> None:
        self._begin = begin
        self._end = end
        self._updates = updates
        self.updates_done = 0

    def __call__(self, progress_remaining: float) -> float:
        """Return the learning rate for the next update."""
        done = min(self.updates_done / self._updates, 1.0)
        return float(self._begin * (self._end / self._begin) ** done)


def make_learning_rates(value: Any) -> dict[str, LearningRate]:
    """Return the learning rates of actor, critic and entropy coefficient.

    Args:
        value: of the configuration: a number, or a map of ``begin``, ``end`` and ``updates``, for all of them; or a
            map of ``actor``, ``critic`` and ``entropy`` with one of these for each.

    Raises:
        ConfigError: it is none of these.
    """
    if isinstance(value, dict) and set(value) & set(PARTS):
        if sorted(value) != sorted(PARTS):
            raise ConfigError(f"{_WHERE} has an entry for each of {', '.join(PARTS)}, got {value!r}")
    else:
        value = dict.fromkeys(PARTS, value)
    return {part: _learning_rate(value[part]) for part in PARTS}


def _learning_rate(value: Any) -> LearningRate:
    if isinstance(value, dict):
        if sorted(value) != sorted(_NAMES):
            raise ConfigError(f"{_WHERE} is a number, or a map of {', '.join(_NAMES)}, got {value!r}")
        begin, end, updates = (value[name] for name in _NAMES)
    else:
        begin, end, updates = value, value, 1
    for number in (begin, end, updates):
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 < number < float("inf"):
            raise ConfigError(f"{_WHERE} needs numbers above 0, got {value!r}")
    return LearningRate(float(begin), float(end), int(updates) or 1)
