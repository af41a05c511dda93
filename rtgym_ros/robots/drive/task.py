"""The drive's task: reach a random place in the free space of its room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.contract.task import Array, Parts, Scene
from rtgym_ros.contract.tasks.reach_position import ReachPosition
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.robots.drive.rendering import draw
from rtgym_ros.robots.drive.simulated_drive import RADIUS
from rtgym_ros.robots.drive.world import ROOM


class ReachFreePlace(ReachPosition):
    """A :class:`~rtgym_ros.contract.tasks.reach_position.ReachPosition` whose targets are never inside of a wall.

    Positions are those of the odometry, whose frame is that of the room as long as nobody resets it elsewhere than at
    the start (the service ``reset_pose`` puts both there).

    Args:
        part: name of the part of the observation that holds x, y (m) and heading (rad), in this order.
        scan: name of the part that holds the whole scan (m), which is only drawn; None: there is none.
        radius: nearer than this the target is reached (m).
        clearance: how far a target that is drawn is from every wall (m).
        bonus: added to the reward of the time-step that reaches it.

    Raises:
        ConfigError: an argument is wrong, or no place has that clearance.
    """

    def __init__(
        self,
        part: str = "pose",
        *,
        scan: str | None = None,
        radius: float = 0.1,
        clearance: float = 0.25,
        bonus: float = 0.0,
    ) -> None:
        super().__init__(part, low=ROOM.low.tolist(), high=ROOM.high.tolist(), radius=radius, bonus=bonus)
        if not RADIUS < clearance < 1.0:
            raise ConfigError(f"task argument clearance must be between {RADIUS} and 1.0 (m), got {clearance!r}")
        self._part = part
        self._scan = scan
        self._clearance = clearance

    def check(self, parts: Mapping[str, spaces.Box]) -> None:
        """Check that the parts are there."""
        super().check(parts)
        if int(np.prod(parts[self._part].shape)) < 3:
            raise ConfigError(f"part {self._part} must hold x, y and heading, and has {parts[self._part].shape} values")
        if self._scan is not None and self._scan not in parts:
            raise ConfigError(f"task argument scan is {self._scan!r}, which is no part; allowed: {', '.join(parts)}")

    def reset(self, rng: np.random.Generator, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take ``options["target"]`` or draw a place.

        Raises:
            ConfigError: the target given is in a wall, or no place.
        """
        given = options.get("target")
        target = super().reset(rng, {"target": ROOM.free_point(rng, self._clearance) if given is None else given})
        if ROOM.distance(*target["target"]) <= RADIUS:
            raise ConfigError(f"target must be further than {RADIUS} m from every wall, got {target['target']}")
        return target

    def render(self, observation: Parts, action: Parts) -> Array | None:
        """Return a picture of the room, uint8, shape (400, 400, 3)."""
        scan = None if self._scan is None else np.asarray(observation[self._scan]).ravel()
        return draw(np.asarray(observation[self._part]).ravel()[:3], self.observe(0.0)["target"], scan)

    def scene(self, observation: Parts, action: Parts) -> Scene:
        """Return the robot, its target and its command."""
        pose = np.asarray(observation[self._part]).ravel()
        command = next(iter(action.values()))
        return Scene(
            "rtgym_ros.ros.markers:drive_markers",
            {"pose": pose, "target": self.observe(0.0)["target"], "command": command},
        )
