"""A picture of the arm: from the side and from above, and where it is to be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rtgym_ros.robots.arm.kinematics import joint_points
from rtgym_ros.robots.canvas import BLACK, BLUE, GREY, RED, Canvas, Colour

_REACH = 1.1
_WIDTH = 300


def draw(positions: Sequence[float] | np.ndarray, target: Sequence[float] | np.ndarray | None = None) -> np.ndarray:
    """Return an RGB frame, uint8 of shape (300, 600, 3): seen along y on the left, along z, from above, on the right.

    Args:
        positions: of the joints (rad).
        target: the same, where the arm is to be; None draws none.
    """
    side, above = (Canvas((-_REACH, low), (_REACH, low + 2 * _REACH), _WIDTH) for low in (-0.6, -_REACH))
    side.title("from the side (x, z)")
    above.title("from above (x, y)")
    side.line(((-_REACH, 0.0), (_REACH, 0.0)), GREY)
    if target is not None:
        _arm(side, above, target, RED, 1)
    _arm(side, above, positions, BLUE, 3)
    return np.concatenate((side.picture, above.picture), axis=1)


def _arm(side: Canvas, above: Canvas, positions: Sequence[float] | np.ndarray, colour: Colour, thickness: int) -> None:
    points = joint_points(positions)
    for canvas, view in ((side, points[:, [0, 2]]), (above, points[:, :2])):
        canvas.line(view, colour, thickness)
        for point in view[:-1]:
            canvas.dot(point, BLACK if thickness > 1 else colour, pixels=thickness + 1)
        canvas.dot(view[-1], colour, pixels=thickness + 3)
