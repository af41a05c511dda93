"""How a differential drive moves: limited accelerations, and arcs integrated exactly."""

from __future__ import annotations

import math

Pose = tuple[float, float, float]
"""x, y (m), heading (rad, in [-pi, pi])."""


def approach(speed: float, wanted: float, largest_change: float) -> float:
    """Return ``speed`` brought nearer to ``wanted``, by ``largest_change`` at most."""
    return speed + min(max(wanted - speed, -largest_change), largest_change)


def arc(pose: Pose, distance: float, turn: float) -> Pose:
    """Return the pose after an arc.

    Args:
        pose: where it begins.
        distance: along the arc, negative backwards (m).
        turn: the change of heading (rad), positive to the left.
    """
    x, y, heading = pose
    half = turn / 2
    chord = distance * (math.sin(half) / half if half else 1.0)
    return (
        x + chord * math.cos(heading + half),
        y + chord * math.sin(heading + half),
        wrap(heading + turn),
    )


def wrap(angle: float) -> float:
    """Return ``angle`` (rad) in [-pi, pi]."""
    return math.remainder(angle, math.tau)
