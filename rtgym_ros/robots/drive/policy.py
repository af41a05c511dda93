"""A pilot of the drive: towards the target, and around what the scan shows in the way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from rtgym_ros.robots.drive.kinematics import wrap

_CLEARANCE = 0.35
"""A beam shorter than this, or than the way to the target, is in the way (m)."""

_TURN_GAIN = 1.2
_HALF_TURN = math.pi / 2


def drive_to_target(observation: Mapping[str, Any]) -> np.ndarray:
    """Return speed and turn rate, each -1 to 1, float32 of shape (2,).

    Of the directions that are free it takes the one nearest to the target; it turns first and drives then.

    Args:
        observation: parts ``pose`` (x, y, heading), ``target`` (x, y) and ``scan`` (m, the first beam ahead,
            counter-clockwise).
    """
    x, y, heading = map(float, observation["pose"])
    away = np.asarray(observation["target"], np.float64) - (x, y)
    distance = float(np.hypot(*away))
    bearing = wrap(math.atan2(away[1], away[0]) - heading)
    scan = np.asarray(observation["scan"], np.float64)
    angles = np.arange(len(scan)) * (2 * math.pi / len(scan))
    needed = min(distance, _CLEARANCE)
    blocked = scan < needed + 0.1
    wide = blocked.copy()
    for shift in range(1, len(scan) // 12 + 1):  # as wide as the robot: 30 degrees to either side
        wide |= np.roll(blocked, shift) | np.roll(blocked, -shift)
    turns = np.array([abs(wrap(angle - bearing)) for angle in angles])
    if wide.all():
        direction = wrap(float(angles[int(np.argmax(scan))]))
    else:
        best = int(np.argmin(np.where(wide, np.inf, turns)))
        direction = bearing if turns[best] < 2 * math.pi / len(scan) else wrap(float(angles[best]))
    ahead = max(0.0, math.cos(direction)) if abs(direction) < _HALF_TURN else 0.0
    speed = ahead**2 * min(1.0, 4.0 * distance)
    return np.array([speed, np.clip(_TURN_GAIN * direction, -1.0, 1.0)], np.float32)
