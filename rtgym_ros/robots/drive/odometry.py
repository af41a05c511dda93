"""Where a drive believes to be, from how far its wheels have turned."""

from __future__ import annotations

import numpy as np

from rtgym_ros.robots.drive.kinematics import Pose, arc

ORIGIN: Pose = (0.0, 0.0, 0.0)


class Odometry:
    """Dead reckoning with wheels whose true radii differ a little from the nominal one (after Borenstein's UMBmark).

    Args:
        wheel_separation: between the two wheels (m).
        drift: standard deviation of the relative error of each wheel's radius; 0: none.
        rng: where the two errors are drawn from, once.
    """

    def __init__(self, wheel_separation: float, drift: float, rng: np.random.Generator) -> None:
        self._separation = wheel_separation
        self._left, self._right = (1.0 + drift * rng.standard_normal(2)).tolist()
        self.pose = ORIGIN

    def reset(self) -> None:
        """Call the present place the origin."""
        self.pose = ORIGIN

    def measure(self, distance: float, turn: float) -> tuple[float, float]:
        """Return what the wheels tell of a true arc, of ``distance`` (m) and ``turn`` (rad)."""
        half_track = turn * self._separation / 2
        left, right = self._left * (distance - half_track), self._right * (distance + half_track)
        return (left + right) / 2, (right - left) / self._separation

    def move(self, distance: float, turn: float) -> None:
        """Add a true arc, as the wheels measure it."""
        self.pose = arc(self.pose, *self.measure(distance, turn))
