"""Hold a joint configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.contract.task import Parts, Task
from rtgym_ros.contract.tasks.target import Selection, Target, positive


class HoldConfiguration(Task):
    """The reward is minus the root mean square of the joints' errors; terminates when all were held for ``hold_time``.

    Adds the part ``target`` to the observation. ``reset(options={"target": [...]})`` gives a target. Steps of the
    contract may use ``task.target``.

    Args:
        part: name of the part of the observation that holds the positions of the joints.
        values: which of its values (indices); left out: the first ones.
        low: lowest positions of targets, in the units of the part.
        high: highest positions of targets.
        target: that of every episode; left out: drawn uniformly between ``low`` and ``high``.
        tolerance: a joint nearer than this to its target is there.
        hold_time: how long all of them have to be there without a break (s); left out: the episode does not terminate.

    Raises:
        ConfigError: an argument is wrong.
    """

    def __init__(
        self,
        part: str = "joints",
        *,
        values: Sequence[int] | None = None,
        low: Sequence[float] | None = None,
        high: Sequence[float] | None = None,
        target: Sequence[float] | None = None,
        tolerance: float = 0.05,
        hold_time: float | None = None,
    ) -> None:
        self._target = Target(low, high, target)
        self._joints = Selection(part, values, len(self._target.low))
        self._tolerance = positive("tolerance", tolerance)
        self._hold_time = None if hold_time is None else positive("hold_time", hold_time)
        self._there_since: float | None = None

    def check(self, parts: Mapping[str, spaces.Box]) -> None:
        """Check that the part is there."""
        self._joints.check(parts)

    def extra_spaces(self) -> Mapping[str, spaces.Box]:
        """Return the space of the target."""
        return {"target": self._target.space()}

    def observe(self, time: float) -> Parts:
        """Return the target."""
        return {"target": self._target.observed()}

    def reset(self, rng: np.random.Generator, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take or draw a target."""
        self._there_since = None
        return {"target": self._target.reset(rng, options).tolist()}

    def evaluate(self, observation: Parts, action: Parts, time: float) -> tuple[float, bool, dict[str, Any]]:
        """Return minus the error, whether the configuration was held long enough, and in ``info`` for how long."""
        errors = self._joints.of(observation) - self._target.value
        if np.abs(errors).max() >= self._tolerance:
            self._there_since = None
        elif self._there_since is None:
            self._there_since = time
        held = 0.0 if self._there_since is None else time - self._there_since
        done = self._there_since is not None and self._hold_time is not None and held >= self._hold_time
        error = float(np.sqrt(np.mean(errors**2)))
        return -error, done, {"error": error, "held": held, "is_success": done}
