"""The tutorial's task: fly to a random target."""

from __future__ import annotations

import numpy as np

from rtgym_ros.contract.task import Array, Parts, Scene
from rtgym_ros.contract.tasks.reach_position import ReachPosition
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
        return draw(np.asarray(observation[self._part]).ravel()[:2], self.observe(0.0)["target"])

    def scene(self, observation: Parts, action: Parts) -> Scene:
        """Return the robot, its target and its command."""
        position = np.asarray(observation[self._part]).ravel()
        command = next(iter(action.values()))
        return Scene(
            "rtgym_ros.ros.markers:drone_markers",
            {"position": position, "target": self.observe(0.0)["target"], "velocity": command},
        )
