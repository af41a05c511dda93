"""Limits of the commands of one part."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np

from rtgym_ros.contract.conversions.converter import one_each
from rtgym_ros.contract.limits.interval import INF
from rtgym_ros.contract.limits.jerk_limiter import ThirdOrder
from rtgym_ros.contract.limits.value_limiter import FirstOrder, SecondOrder, Speed, ValueLimiter
from rtgym_ros.contract.records.action_part import Limits, Quantity
from rtgym_ros.core.errors import ActionError

Array = np.ndarray[Any, Any]


class Limiter:
    """Limits the commands of one part, each value for itself, counted from the last command.

    A command within the limits stays as it is; of one that is not the nearest that is allowed is sent. Near a bound it
    brakes ahead. From a state that breaks limits, bounds win, then velocity, then acceleration, and that is counted.

    Args:
        low: least values, in the units of the message.
        high: greatest values.
        quantities: what each value is.
        limits: of the derivatives; None: there are only the bounds.

    Raises:
        ConversionError: there are as many limits neither as one nor as values.
    """

    def __init__(
        self, low: Sequence[float], high: Sequence[float], quantities: Sequence[Quantity], limits: Limits | None = None
    ) -> None:
        limits = limits or Limits()
        size = len(quantities)
        velocity = _each(limits.max_velocity, size, "limits.max_velocity")
        acceleration = _each(limits.max_acceleration, size, "limits.max_acceleration")
        deceleration = _each(limits.max_deceleration, size, "limits.max_deceleration", acceleration)
        if limits.max_deceleration is None:  # the acceleration of other values is none of an effort
            deceleration = [INF if q == "effort" else a for q, a in zip(quantities, deceleration, strict=True)]
        jerk = _each(limits.max_jerk, size, "limits.max_jerk")
        self._values = [
            make_value_limiter(*of_value)
            for of_value in zip(low, high, quantities, velocity, acceleration, deceleration, jerk, strict=True)
        ]
        self._stopping = [
            FirstOrder(bottom, top, INF, INF if limits.max_deceleration is None else fall)
            for bottom, top, fall in zip(low, high, deceleration, strict=True)
        ]
        self._limited_when_safe = [quantity == "position" for quantity in quantities]
        self._keep(np.zeros(size))

    @property
    def command(self) -> Array:
        """The last command, shape ``(size,)`` of float64, read-only."""
        return self._command

    @property
    def broken(self) -> int:
        """How many values of commands broke a limit so far, because the state before did."""
        return sum(value.broken for value in self._values)

    def reset(self, command: Sequence[float] | Array) -> None:
        """Begin anew from ``command``, at rest: after a start, a reset, a wait, an intervention or a failure."""
        for value, number in zip(self._values, command, strict=True):
            value.reset(float(number))
        self._keep(np.array([value.command for value in self._values]))

    def limit(self, target: Sequence[float] | Array, dt: float) -> Array:
        """Return the command for a time-step of ``dt`` (s), shape ``(size,)``, which is the last one from now on.

        Raises:
            ActionError: a value of the target is not finite, or no time passes; nothing has changed.
        """
        _check(target, dt)
        return self._keep(
            np.array([value.limit(float(number), dt) for value, number in zip(self._values, target, strict=True)])
        )

    def limit_safe(self, target: Sequence[float] | Array, dt: float) -> Array:
        """Return the safe action as it may be sent: positions within all limits, others within ``max_deceleration``.

        Raises:
            ActionError: a value of the target is not finite, or no time passes; nothing has changed.
        """
        _check(target, dt)
        command = []
        for value, stopping, number, limited in zip(
            self._values, self._stopping, target, self._limited_when_safe, strict=True
        ):
            if limited:
                command.append(value.limit(float(number), dt))
                continue
            stopping.reset(value.command)
            value.reset(stopping.limit(float(number), dt))
            command.append(value.command)
        return self._keep(np.array(command))

    def _keep(self, command: Array) -> Array:
        command.flags.writeable = False
        self._command = command
        return command


def make_value_limiter(
    low: float,
    high: float,
    quantity: Quantity,
    velocity: float = INF,
    acceleration: float = INF,
    deceleration: float = INF,
    jerk: float = INF,
) -> ValueLimiter:
    """Return what limits one value; what is no derivative of the quantity plays no part."""
    if quantity == "position":
        if jerk < INF:
            return ThirdOrder(low, high, velocity, min(acceleration, deceleration), jerk)
        if min(acceleration, deceleration) < INF:
            return SecondOrder(low, high, velocity, acceleration, deceleration)
        return Speed(low, high, velocity)
    if quantity == "velocity":
        if jerk < INF:
            return SecondOrder(low, high, min(acceleration, deceleration), jerk, jerk)
        return FirstOrder(low, high, acceleration, deceleration)
    # The derivative of an acceleration is the jerk; that of an effort, which is much the same, has no other name.
    return FirstOrder(low, high, jerk, min(jerk, deceleration) if quantity == "effort" else jerk)


def _check(target: Sequence[float] | Array, dt: float) -> None:
    if not all(map(isfinite, target)):
        raise ActionError(f"a command that is not finite: {[float(number) for number in target]}")
    if not dt > 0:
        raise ActionError(f"a command for a time-step of {dt} s; allowed: above 0")


def _each(
    limit: float | Sequence[float] | None, size: int, key: str, otherwise: Sequence[float] | None = None
) -> list[float]:
    if limit is None:
        return [INF] * size if otherwise is None else list(otherwise)
    return [float(number) for number in one_each(limit, size, key)]
