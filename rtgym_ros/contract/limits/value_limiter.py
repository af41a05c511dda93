"""Limits of a single value, by how many of its derivatives are limited."""

from __future__ import annotations

from abc import ABC, abstractmethod

from rtgym_ros.contract.limits.interval import Narrowing, approach, reach
from rtgym_ros.contract.limits.target_motion import TargetMotion


class ValueLimiter(ABC):
    """Limits one value; its state is the last command.

    A target that breaks no limit is the command. One that does is approached: as fast as the limits allow, slowing down
    ahead of it if it stays or moves as a command may, so that it is reached without passing it.

    Attributes:
        command: the last one.
        broken: how many commands broke a limit, because the state before did.
    """

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high
        self.broken = 0
        self.command = 0.0

    def reset(self, command: float) -> None:
        """Begin anew from ``command``, at rest."""
        self.command = command

    @abstractmethod
    def limit(self, target: float, dt: float) -> float:
        """Return the command nearest to ``target`` for a time-step of ``dt`` (s), and keep it as the last one."""


class FirstOrder(ValueLimiter):
    """The first derivative is limited, by direction: of a velocity, acceleration and deceleration.

    Args:
        low: least command.
        high: greatest.
        rise: limit while the value goes away from zero.
        fall: limit while it comes to zero.
    """

    def __init__(self, low: float, high: float, rise: float, fall: float) -> None:
        super().__init__(low, high)
        self._rise, self._fall = rise, fall

    def limit(self, target: float, dt: float) -> float:
        """See :class:`ValueLimiter`."""
        commands = Narrowing(self.low, self.high)
        commands.narrow(*reach(self.command, self._rise, self._fall, dt))
        self.broken += commands.broken
        self.command = commands.clamp(target)
        return self.command


class Speed(ValueLimiter):
    """The first derivative has one limit in both directions: a position with ``max_velocity``."""

    def __init__(self, low: float, high: float, speed: float) -> None:
        super().__init__(low, high)
        self._speed = speed

    def limit(self, target: float, dt: float) -> float:
        """See :class:`ValueLimiter`."""
        commands = Narrowing(self.low, self.high)
        commands.narrow(self.command - self._speed * dt, self.command + self._speed * dt)
        self.broken += commands.broken
        self.command = commands.clamp(target)
        return self.command


class SecondOrder(ValueLimiter):
    """The first and the second derivative are limited: of a position, velocity and acceleration.

    Near a bound it brakes ahead: no command is sent from which it could not stop in front of the bound, whatever the
    lengths of the time-steps that follow.

    Args:
        low: least command.
        high: greatest.
        speed: limit of the first derivative.
        rise: limit of the second while the first goes away from zero.
        fall: limit of the second while the first comes to zero.
    """

    def __init__(self, low: float, high: float, speed: float, rise: float, fall: float) -> None:
        super().__init__(low, high)
        self._speed, self._rise, self._fall = speed, rise, fall
        self.reset(0.0)

    def reset(self, command: float) -> None:
        """Begin anew from ``command``, at rest."""
        super().reset(command)
        self._velocity = 0.0
        self._target = TargetMotion(command)

    def limit(self, target: float, dt: float) -> float:
        """See :class:`ValueLimiter`."""
        target = self.low if target < self.low else self.high if target > self.high else target
        before = self.command
        below, above = before - self.low, self.high - before
        speeds = Narrowing(-below / dt, above / dt)
        speeds.narrow(-self._speed, self._speed)
        speeds.narrow(*reach(self._velocity, self._rise, self._fall, dt))
        if below >= 0 and above >= 0:
            speeds.narrow(-approach(below, self._fall, dt), approach(above, self._fall, dt))
        self.broken += speeds.broken
        self._target.follow(target, before, self._speed, min(self._rise, self._fall), dt)
        direct = (target - before) / dt
        if self._target.direct and speeds.low <= direct <= speeds.high:
            wanted = direct
        else:
            gap = target - before - self._target.speed * dt
            closing = approach(abs(gap), self._fall, dt)
            wanted = self._target.speed + (closing if gap > 0 else -closing)
        speed = speeds.clamp(wanted)
        self.command = target if speed == direct else min(max(before + speed * dt, self.low), self.high)
        self._velocity = (self.command - before) / dt
        return self.command
