"""Stay upright."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from gymnasium import spaces

from rtgym_ros.contract.task import Parts, Task
from rtgym_ros.contract.tasks.target import Selection, positive
from rtgym_ros.core.errors import ConfigError


class StayUpright(Task):
    """The reward is the cosine of the tilt, less the cost of the action; terminates when the robot has fallen.

    Args:
        part: name of the part of the observation that holds the attitude.
        form: what it is: ``gravity`` (the direction of gravity seen from the body: conversion ``quaternion: gravity``)
            or ``rpy`` (rad: ``quaternion: rpy``).
        first: index of the first value of the attitude in the part.
        max_tilt: more than this is fallen (rad).
        action_cost: times the mean square of the executed action, in the units of the message.

    Raises:
        ConfigError: an argument is wrong.
    """

    def __init__(
        self,
        part: str = "attitude",
        *,
        form: Literal["gravity", "rpy"] = "gravity",
        first: int = 0,
        max_tilt: float = 0.8,
        action_cost: float = 0.0,
    ) -> None:
        if form not in ("gravity", "rpy"):
            raise ConfigError(f"task argument form must be gravity or rpy, got {form!r}")
        if type(first) is not int or first < 0:
            raise ConfigError(f"task argument first must be an index, got {first!r}")
        self._form = form
        self._attitude = Selection(part, range(first, first + 3), 3)
        self._max_tilt = positive("max_tilt", max_tilt)
        self._action_cost = float(action_cost)

    def check(self, parts: Mapping[str, spaces.Box]) -> None:
        """Check that the part is there."""
        self._attitude.check(parts)

    def tilt(self, observation: Parts) -> float:
        """Return the angle between the robot's up and the world's (rad)."""
        x, y, z = self._attitude.of(observation)
        cosine = np.cos(x) * np.cos(y) if self._form == "rpy" else -z / max(float(np.linalg.norm((x, y, z))), 1e-9)
        return float(np.arccos(np.clip(cosine, -1.0, 1.0)))

    def evaluate(self, observation: Parts, action: Parts, time: float) -> tuple[float, bool, dict[str, Any]]:
        """Return the cosine of the tilt less the cost, whether the robot has fallen, and the tilt in ``info``."""
        tilt = self.tilt(observation)
        values = np.concatenate(
            [np.zeros(0), *(np.asarray(part, dtype=np.float64).ravel() for part in action.values())]
        )
        cost = self._action_cost * float(np.mean(values**2)) if values.size else 0.0
        return float(np.cos(tilt)) - cost, tilt > self._max_tilt, {"tilt": tilt}
