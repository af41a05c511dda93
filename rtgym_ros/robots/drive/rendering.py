"""A picture of the drive in its world: walls, robot, heading, target and what the scanner sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rtgym_ros.robots.canvas import BLACK, BLUE, GREY, RED, Canvas
from rtgym_ros.robots.drive.simulated_drive import RADIUS
from rtgym_ros.robots.drive.world import ROOM, World

_WIDTH = 400
_MARGIN = 0.1


def draw(
    pose: Sequence[float] | np.ndarray,
    target: Sequence[float] | np.ndarray | None = None,
    scan: np.ndarray | None = None,
    world: World = ROOM,
) -> np.ndarray:
    """Return an RGB frame, uint8 of shape (height, 400, 3), y upwards.

    Args:
        pose: x, y (m), heading (rad) in the frame of the world.
        target: x, y (m); None draws none.
        scan: ranges (m) of beams evenly over the turn, the first ahead; None draws none.
        world: its walls.
    """
    canvas = Canvas(world.low - _MARGIN, world.high + _MARGIN, _WIDTH)
    x, y, heading = pose
    if scan is not None:
        angles = heading + np.arange(len(scan)) * (2 * np.pi / len(scan))
        for angle, distance in zip(angles, scan, strict=True):
            if np.isfinite(distance):
                canvas.line(((x, y), (x + distance * np.cos(angle), y + distance * np.sin(angle))), GREY)
    for wall in world.walls:
        canvas.line(wall, BLACK, thickness=2)
    if target is not None:
        canvas.dot(target, RED, pixels=5)
    canvas.circle((x, y), RADIUS, BLUE)
    canvas.line(((x, y), (x + RADIUS * np.cos(heading), y + RADIUS * np.sin(heading))), BLUE, thickness=2)
    return canvas.picture
