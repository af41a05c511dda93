"""Intervals that are narrowed in order of importance."""

from __future__ import annotations

from math import sqrt

INF = float("inf")
ROUNDING = 1e-9
"""What rounding may add up to, relative to the numbers that are compared."""


class Narrowing:
    """An interval that is narrowed again and again; what comes later gives way.

    Attributes:
        low: its lower end.
        high: its upper end.
        broken: whether something that came later had to give way, by more than rounding.
    """

    __slots__ = ("broken", "high", "low")

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high
        self.broken = False

    def narrow(self, low: float, high: float) -> None:
        """Keep what lies in [``low``, ``high``] too; where nothing does, keep the end that is nearest to it."""
        if high < self.low:
            self.broken = self.broken or self.low - high > ROUNDING * (1.0 + abs(self.low))
            self.high = self.low
        elif low > self.high:
            self.broken = self.broken or low - self.high > ROUNDING * (1.0 + abs(self.high))
            self.low = self.high
        else:
            if low > self.low:
                self.low = low
            if high < self.high:
                self.high = high

    def clamp(self, value: float) -> float:
        """Return the number in the interval that is nearest to ``value``."""
        return self.low if value < self.low else self.high if value > self.high else value


def reach(value: float, rise: float, fall: float, dt: float) -> tuple[float, float]:
    """Return the least and the greatest number that ``value`` may become within ``dt``.

    Args:
        value: a speed, say.
        rise: how fast it may go away from zero.
        fall: how fast it may come to zero.
        dt: time that passes (s).
    """
    if value < 0:
        low, high = reach(-value, rise, fall, dt)
        return -high, -low
    low = value - (fall if value else rise) * dt
    if low < 0 < value:  # beyond zero it would rise again: what is right for both
        low = min(0.0, value - min(rise, fall) * dt)
    return low, value + rise * dt


def approach(room: float, slowing: float, dt: float) -> float:
    """Return the greatest speed v of a time-step from which one can still stop in time.

    In this time-step ``v * dt`` of the room is used up, and whatever time-steps follow, slowing down at once takes no
    more than ``v * v / (2 * slowing)``. Solved for v; after it, v is met by the same rule again.

    Args:
        room: how far it is (at least 0).
        slowing: how fast the speed can fall.
        dt: time-step (s).
    """
    if INF in (room, slowing):
        return room / dt
    # As a quotient: the difference that it usually is written as loses its digits in little room.
    return 2 * room / (dt + sqrt(dt * dt + 2 * room / slowing))
