"""The tutorial's task: fly to a random target."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.contract.task import Array, Parts, Scene
from rtgym_ros.contract.tasks.reach_position import ReachPosition
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.robots.drone.rendering import draw

TARGET_RANGE = 0.5
"""Targets are drawn from [-TARGET_RANGE, TARGET_RANGE]^2 (m)."""

REACHED_WITHIN = 0.01
"""The episode ends when the observed position is nearer to the target than this (m)."""

EPISODE_TIME_STEPS = 100
TIME_STEP_DURATION = 0.05
"""Of the tutorial's environment (s)."""

MAX_SPEED = 2.0
"""Limit of the norm of the drone's velocity (m/s), and bound of each component of an action."""


def draw_target(rng: np.random.Generator) -> np.ndarray:
    """Return a new target: float32, shape (2,), in m."""
    return rng.uniform(-TARGET_RANGE, TARGET_RANGE, size=2).astype(np.float32)


def score(position: np.ndarray, target: np.ndarray) -> tuple[float, bool]:
    """Return the reward, minus the distance (m), and whether the target is reached."""
    reward = -float(np.linalg.norm(np.asarray(position, dtype=np.float32) - target))
    return reward, reward > -REACHED_WITHIN


class FlyToTarget(ReachPosition):
    """The same as a task for contracts, with the tutorial's numbers.

    Args:
        part: name of the part of the observation that holds x, y (m) first.
        radius: the episode ends when the observed position is nearer to the target than this (m).

    Raises:
        ConfigError: an argument is wrong.
    """

    def __init__(self, part: str = "position", *, radius: float = REACHED_WITHIN) -> None:
        super().__init__(part, low=[-TARGET_RANGE] * 2, high=[TARGET_RANGE] * 2, radius=radius)
        self._part = part

    def render(self, observation: Parts, action: Parts) -> Array | None:
        """Return a picture of the world, uint8, shape (400, 400, 3)."""
        return draw(np.asarray(observation[self._part]).ravel()[:2], self._target.value)

    def scene(self, observation: Parts, action: Parts) -> Scene:
        """Return the drone, its target and its velocity."""
        return self._scene(np.asarray(observation[self._part]).ravel(), action)

    def _scene(self, position: Array, action: Parts) -> Scene:
        velocity = next(iter(action.values()))
        return Scene(
            "rtgym_ros.ros.markers:drone_markers",
            {"position": position, "target": self._target.value.copy(), "velocity": velocity},
        )


class FlyToTargetByAxis(FlyToTarget):
    """The same where x and y are parts of their own, and so are those of the target: the tutorial's observation.

    Args:
        parts: names of the parts of the observation that hold x and y (m).
        radius: the episode ends when the observed position is nearer to the target than this (m).

    Raises:
        ConfigError: an argument is wrong.
    """

    def __init__(self, parts: tuple[str, str] = ("x", "y"), *, radius: float = REACHED_WITHIN) -> None:
        super().__init__(radius=radius)
        self._parts = parts
        self._added = tuple(f"target_{part}" for part in parts)

    def check(self, parts: Mapping[str, spaces.Box]) -> None:
        """Check that both parts are there."""
        missing = [part for part in self._parts if part not in parts]
        if missing:
            raise ConfigError(f"task argument parts: {missing[0]!r} is no part; allowed: {', '.join(parts)}")

    def extra_spaces(self) -> Mapping[str, spaces.Box]:
        """Return the spaces of the target's x and y (m)."""
        target = self._target.space()
        return {name: spaces.Box(target.low[i : i + 1], target.high[i : i + 1]) for i, name in enumerate(self._added)}

    def observe(self, time: float) -> Parts:
        """Return the target's x and y (m)."""
        target = self._target.observed()
        return {self._added[0]: target[:1], self._added[1]: target[1:]}

    def evaluate(self, observation: Parts, action: Parts, time: float) -> tuple[float, bool, dict[str, Any]]:
        """Return minus the distance, whether the target is reached, and both in ``info``."""
        x, y = self._parts
        return self._score(math.dist((observation[x].item(), observation[y].item()), self._target.value))

    def render(self, observation: Parts, action: Parts) -> Array | None:
        """Return a picture of the world, uint8, shape (400, 400, 3)."""
        return draw(np.concatenate([observation[part] for part in self._parts]), self._target.value)

    def scene(self, observation: Parts, action: Parts) -> Scene:
        """Return the drone, its target and its velocity."""
        return self._scene(np.concatenate([observation[part] for part in self._parts]), action)
