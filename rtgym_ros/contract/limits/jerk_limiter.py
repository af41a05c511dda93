"""Limits of a value whose third derivative is limited: of a position, velocity, acceleration and jerk.

Why no bound is passed, whatever the lengths of the time-steps that follow: the way to the stop is counted as if from
now on the acceleration fell as fast as it may, to its limit. Commands are sampled at the ends of time-steps, where a
falling acceleration has fallen most, so the speed is never above the continuous one, and no way is longer (a positive
acceleration first has to come down to zero: until then the speed is counted as what it will be at most). What is
counted shrinks by at least what a time-step uses up, so a command that keeps it within the room is followed by another.

Both bounds, and both limits of the velocity, can be kept at the same time where the acceleration is small enough:
stopping in front of one must not make it too fast for the other. At most sqrt(2 J V) leaves the velocity within V, and
at most cbrt(6 / 7 R J^2) leaves, in a range R, room for the way back (7/6 A^3/J^2 is what both ways take).
"""

from __future__ import annotations

from collections.abc import Callable
from math import cbrt, inf, sqrt

from rtgym_ros.contract.limits.interval import Narrowing, approach
from rtgym_ros.contract.limits.target_motion import TargetMotion
from rtgym_ros.contract.limits.value_limiter import ValueLimiter

_BISECTIONS = 40


class ThirdOrder(ValueLimiter):
    """The first three derivatives are limited.

    Args:
        low: least command.
        high: greatest.
        speed: limit of the first derivative.
        acceleration: of the second; also of slowing down.
        jerk: of the third.
    """

    def __init__(self, low: float, high: float, speed: float, acceleration: float, jerk: float) -> None:
        super().__init__(low, high)
        self._speed, self._jerk = speed, jerk
        self._acceleration = min(acceleration, sqrt(2 * jerk * speed), cbrt(6 / 7 * (high - low) * jerk * jerk))
        self.reset(0.0)

    def reset(self, command: float) -> None:
        """Begin anew from ``command``, at rest."""
        super().reset(command)
        self._velocity = 0.0
        self._accelerating = 0.0
        self._target = TargetMotion(command)

    def limit(self, target: float, dt: float) -> float:
        """See :class:`ValueLimiter`."""
        target = self.low if target < self.low else self.high if target > self.high else target
        before, velocity = self.command, self._velocity
        allowed = self._allowed(dt)
        self._target.follow(target, before, self._speed, self._acceleration, dt)
        direct = ((target - before) / dt - velocity) / dt
        if self._target.direct and allowed.low <= direct <= allowed.high:
            wanted = direct
        else:
            wanted = self._towards(target, allowed, dt)
        acceleration = self._braking_ahead(wanted, allowed, dt)
        self.broken += allowed.broken
        command = before + (velocity + acceleration * dt) * dt
        self.command = target if acceleration == direct else min(max(command, self.low), self.high)
        self._velocity = (self.command - before) / dt
        self._accelerating = (self._velocity - velocity) / dt
        return self.command

    def _allowed(self, dt: float) -> Narrowing:
        """Return the accelerations that bounds, velocity, acceleration and jerk allow in this time-step."""
        velocity, speed, jerk = self._velocity, self._speed, self._jerk
        below, above = self.command - self.low, self.high - self.command
        allowed = Narrowing((-below / dt - velocity) / dt, (above / dt - velocity) / dt)
        allowed.narrow((-speed - velocity) / dt, (speed - velocity) / dt)
        allowed.narrow(-self._acceleration, self._acceleration)
        allowed.narrow(self._accelerating - jerk * dt, self._accelerating + jerk * dt)
        if speed < inf:
            # Coming to no acceleration takes time in which the velocity still grows.
            up, down = speed - velocity, speed + velocity
            allowed.narrow(
                -approach(down, jerk, dt) if down > 0 else -down / dt, approach(up, jerk, dt) if up > 0 else up / dt
            )
        return allowed

    def _braking_ahead(self, wanted: float, allowed: Narrowing, dt: float) -> float:
        """Return the acceleration nearest to ``wanted`` after which it can stop in front of both bounds."""
        velocity = self._velocity
        below, above = self.command - self.low, self.high - self.command

        def passes_high(acceleration: float) -> bool:
            speed = velocity + acceleration * dt
            return speed * dt + self._way(speed, acceleration) > above

        def passes_low(acceleration: float) -> bool:
            speed = -velocity - acceleration * dt
            return speed * dt + self._way(speed, -acceleration) > below

        chosen = allowed.clamp(wanted)
        if above < inf and passes_high(chosen):
            return _last(allowed.low, chosen, passes_high)
        if below < inf and passes_low(chosen):
            return _last(allowed.high, chosen, passes_low)
        return chosen

    def _way(self, speed: float, acceleration: float) -> float:
        """Return how far it goes, at most, until it does not go upwards any more, stopping at once."""
        most, jerk = self._acceleration, self._jerk
        if acceleration > 0:
            peak = speed + acceleration * acceleration / (2 * jerk)
            return peak * acceleration / jerk + self._way(peak, 0.0) if peak > 0 else 0.0
        if speed <= 0:
            return 0.0
        if acceleration <= -most:
            return speed * speed / (2 * most)
        time = (acceleration + most) / jerk
        left = speed + acceleration * time - jerk * time * time / 2 if time < inf else -inf
        if left < 0:
            time = (acceleration + sqrt(acceleration * acceleration + 2 * jerk * speed)) / jerk
            left = 0.0
        way = time * (speed + time * (acceleration / 2 - jerk * time / 6))
        return way + (left * left / (2 * most) if left else 0.0)

    def _towards(self, target: float, allowed: Narrowing, dt: float) -> float:
        """Return the acceleration that brings it to the target, and to the target's speed when it is there."""
        speed = self._velocity - self._target.speed
        gap = target - self.command - self._target.speed * dt

        def passes(acceleration: float) -> bool:
            after = speed + acceleration * dt
            return after * dt + self._way_to_rest(after, acceleration) > gap

        if passes(allowed.low):
            return allowed.low
        if not passes(allowed.high):
            return allowed.high
        return _last(allowed.low, allowed.high, passes)

    def _way_to_rest(self, speed: float, acceleration: float) -> float:
        """Return how far it goes until it is at rest without acceleration, as fast as that can be."""
        jerk, most = self._jerk, self._acceleration
        time = abs(acceleration) / jerk
        after = speed + acceleration * time / 2
        if after < 0:
            return -self._way_to_rest(-speed, -acceleration)
        begins = after if acceleration >= 0 else speed - acceleration * time / 2
        way = (
            begins * sqrt(begins / jerk) if begins * jerk < most * most else begins / 2 * (begins / most + most / jerk)
        )
        if acceleration >= 0:
            return way + time * (speed + time * acceleration / 3)
        # It is slowing down already: what it has behind it of that way does not count.
        return way - time * (begins - jerk * time * time / 6)


def _last(good: float, bad: float, passes: Callable[[float], bool]) -> float:
    """Return the number nearest to ``bad``, from ``good`` on, for which ``passes`` is still false; else ``good``."""
    for _ in range(_BISECTIONS):
        middle = (good + bad) / 2
        if passes(middle):
            bad = middle
        else:
            good = middle
    return good
