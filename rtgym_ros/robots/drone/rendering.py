"""A picture of the world: where the drone was seen last, and where it is to go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rtgym_ros.robots.canvas import BLUE, GREY, RED, Canvas

_SIZE = 400


def draw(
    position: np.ndarray | Sequence[float],
    target: np.ndarray | Sequence[float],
    path: Sequence[Sequence[float]] | np.ndarray = (),
) -> np.ndarray:
    """Return an RGB frame, uint8 of shape (400, 400, 3), of the world [-1, 1]^2 (m), y upwards.

    Args:
        position: x, y of the drone (m).
        target: x, y (m).
        path: earlier positions x, y (m), oldest first.
    """
    canvas = Canvas((-1.0, -1.0), (1.0, 1.0), _SIZE)
    if len(path) > 1:
        canvas.line(path, GREY)
    canvas.dot(target, RED, pixels=5)
    canvas.circle(position, 0.05, BLUE)
    return canvas.picture
