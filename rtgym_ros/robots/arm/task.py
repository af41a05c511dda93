"""The arm's task: go to a random configuration near its home, and hold it."""

from __future__ import annotations

import numpy as np

from rtgym_ros.contract.task import Array, Parts, Scene
from rtgym_ros.contract.tasks.hold_configuration import HoldConfiguration
from rtgym_ros.contract.tasks.target import positive
from rtgym_ros.robots.arm.kinematics import HOME, JOINTS
from rtgym_ros.robots.arm.rendering import draw


class HoldNearHome(HoldConfiguration):
    """A :class:`~rtgym_ros.contract.tasks.hold_configuration.HoldConfiguration` around where the arm starts.

    Args:
        part: name of the part of the observation that holds the positions of the joints (rad), in the order of
            :data:`~rtgym_ros.robots.arm.kinematics.JOINTS`, first.
        reach: how far each joint's target may be from its home (rad).
        tolerance: a joint nearer than this to its target is there (rad).
        hold_time: how long all of them have to be there without a break (s); None: the episode does not terminate.

    Raises:
        ConfigError: an argument is wrong.
    """

    def __init__(
        self, part: str = "joints", *, reach: float = 0.6, tolerance: float = 0.02, hold_time: float | None = 0.5
    ) -> None:
        margin = positive("reach", reach)
        low, high = ([angle + side * margin for angle in HOME] for side in (-1, 1))
        super().__init__(part, low=low, high=high, tolerance=tolerance, hold_time=hold_time)
        self._part = part

    def render(self, observation: Parts, action: Parts) -> Array | None:
        """Return a picture of the arm from the side and from above, uint8, shape (300, 600, 3)."""
        positions = np.asarray(observation[self._part]).ravel()[: len(JOINTS)]
        return draw(positions, self.observe(0.0)["target"])

    def scene(self, observation: Parts, action: Parts) -> Scene:
        """Return the robot, its target and its command."""
        positions = np.asarray(observation[self._part]).ravel()[: len(JOINTS)]
        command = next(iter(action.values()))
        return Scene(
            "rtgym_ros.ros.markers:arm_markers",
            {"positions": positions, "target": self.observe(0.0)["target"], "command": command},
        )
