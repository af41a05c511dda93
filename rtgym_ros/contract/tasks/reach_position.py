"""Reach a position."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.contract.task import Parts, Task
from rtgym_ros.contract.tasks.target import Selection, Target, positive


class ReachPosition(Task):
    """The reward is minus the distance to the target; the episode terminates within ``radius`` of it.

    Adds the part ``target`` to the observation. ``reset(options={"target": [...]})`` gives a target. Steps of the
    contract may use ``task.target``.

    Args:
        part: name of the part of the observation that holds the position.
        values: which of its values (indices); left out: the first ones.
        low: lowest coordinates of targets, in the units of the part.
        high: highest coordinates of targets.
        target: that of every episode; left out: drawn uniformly between ``low`` and ``high``.
        radius: nearer than this the target is reached.
        bonus: added to the reward of the time-step that reaches it.

    Raises:
        ConfigError: an argument is wrong.
    """

    def __init__(
        self,
        part: str = "position",
        *,
        values: Sequence[int] | None = None,
        low: Sequence[float] | None = None,
        high: Sequence[float] | None = None,
        target: Sequence[float] | None = None,
        radius: float = 0.1,
        bonus: float = 0.0,
    ) -> None:
        self._target = Target(low, high, target)
        self._position = Selection(part, values, len(self._target.low))
        self._radius = positive("radius", radius)
        self._bonus = float(bonus)

    def check(self, parts: Mapping[str, spaces.Box]) -> None:
        """Check that the part is there."""
        self._position.check(parts)

    def extra_spaces(self) -> Mapping[str, spaces.Box]:
        """Return the space of the target."""
        return {"target": self._target.space()}

    def observe(self, time: float) -> Parts:
        """Return the target."""
        return {"target": self._target.observed()}

    def reset(self, rng: np.random.Generator, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take or draw a target."""
        return {"target": self._target.reset(rng, options).tolist()}

    def evaluate(self, observation: Parts, action: Parts, time: float) -> tuple[float, bool, dict[str, Any]]:
        """Return minus the distance, whether the target is reached, and both in ``info``."""
        error = self._position.of(observation) - self._target.value
        return self._score(math.sqrt(error.dot(error)))

    def _score(self, distance: float) -> tuple[float, bool, dict[str, Any]]:
        reached = distance < self._radius
        return -distance + self._bonus * reached, reached, {"distance": distance, "is_success": reached}
