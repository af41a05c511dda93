"""Follow a trajectory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.contract.task import Array, Parts, Task
from rtgym_ros.contract.tasks.target import Selection, numbers, positive
from rtgym_ros.core.errors import ConfigError


class FollowTrajectory(Task):
    """The reward is minus the distance to a point that moves along waypoints.

    Adds the part ``target`` to the observation: where the point is at the capture, and after each of ``previews``.

    Args:
        part: name of the part of the observation that follows.
        waypoints: positions, in the units of the part, each as long as the others.
        times: when the point is at each of them since the reset (s), increasing, the first one 0.
        values: which values of the part (indices); left out: the first ones.
        loop: after the last waypoint it goes on at the first one, which should be the same; else the episode
            terminates there.
        previews: how much later (s) than now the point is told as well.
        give_up: farther from the point than this the episode terminates.

    Raises:
        ConfigError: an argument is wrong.
    """

    def __init__(
        self,
        part: str = "position",
        *,
        waypoints: Sequence[Sequence[float]],
        times: Sequence[float],
        values: Sequence[int] | None = None,
        loop: bool = False,
        previews: Sequence[float] = (),
        give_up: float | None = None,
    ) -> None:
        rows = [numbers("waypoints", waypoint) for waypoint in waypoints]
        self._times = numbers("times", times)
        if len(rows) < 2 or len({len(row) for row in rows}) != 1 or len(rows) != len(self._times):
            raise ConfigError(
                "task arguments waypoints and times must be lists of two or more, waypoints of one length"
            )
        if self._times[0] != 0 or (np.diff(self._times) <= 0).any():
            raise ConfigError(f"task argument times must begin with 0 and increase, got {list(times)}")
        self._waypoints = np.stack(rows)
        self._position = Selection(part, values, self._waypoints.shape[1])
        self._loop = bool(loop)
        self._ahead = np.concatenate([[0.0], numbers("previews", previews)]) if len(previews) else np.zeros(1)
        if (self._ahead < 0).any():
            raise ConfigError(f"task argument previews must be numbers of seconds from 0 up, got {list(previews)}")
        self._give_up = None if give_up is None else positive("give_up", give_up)

    def check(self, parts: Mapping[str, spaces.Box]) -> None:
        """Check that the part is there."""
        self._position.check(parts)

    def extra_spaces(self) -> Mapping[str, spaces.Box]:
        """Return the space of the moving point, shape ((1 + previews) * k,)."""
        low, high = (np.tile(bound, len(self._ahead)) for bound in (self._waypoints.min(0), self._waypoints.max(0)))
        return {"target": spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)}

    def observe(self, time: float) -> Parts:
        """Return the moving point, now and later."""
        space = self.extra_spaces()["target"]
        points = np.concatenate([self.point(time + ahead) for ahead in self._ahead]).astype(np.float32)
        return {"target": np.clip(points, space.low, space.high)}

    def point(self, time: float) -> Array:
        """Return where the point is ``time`` seconds after the reset, on the straight line between two waypoints."""
        if self._loop:
            time %= self._times[-1]
        return np.array([np.interp(time, self._times, axis) for axis in self._waypoints.T])

    def evaluate(self, observation: Parts, action: Parts, time: float) -> tuple[float, bool, dict[str, Any]]:
        """Return minus the distance, whether the trajectory is over or was left, and both in ``info``."""
        distance = float(np.linalg.norm(self._position.of(observation) - self.point(time)))
        left = self._give_up is not None and distance > self._give_up
        over = not self._loop and time >= self._times[-1]
        return -distance, bool(left or over), {"distance": distance, "is_success": bool(over and not left)}
