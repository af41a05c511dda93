"""How the drone moves: a point that takes on its commanded velocity at once, in a square world."""

from __future__ import annotations

import math


def limit_speed(velocity: tuple[float, float], max_speed: float) -> tuple[float, float]:
    """Scale ``velocity`` (m/s) down to ``max_speed`` (m/s) by its norm, keeping its direction."""
    norm = math.hypot(*velocity)
    if norm <= max_speed:
        return velocity
    return velocity[0] * max_speed / norm, velocity[1] * max_speed / norm


def move(
    position: tuple[float, float], velocity: tuple[float, float], duration: float, world_size: float
) -> tuple[float, float]:
    """Return where ``velocity`` (m/s) takes ``position`` (m) in ``duration`` (s), inside [-world_size, world_size]."""

    def clip(value: float) -> float:
        return min(max(value, -world_size), world_size)

    return clip(position[0] + velocity[0] * duration), clip(position[1] + velocity[1] * duration)
