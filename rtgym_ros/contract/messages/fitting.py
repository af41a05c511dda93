"""Values as the fields of a message take them, and whether they fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from rtgym_ros.contract.messages.layout import Primitive, Text, spell
from rtgym_ros.core.errors import ConfigError, nearest

_FLOAT32_MAX = 3.4028234663852886e38


class FillError(ConfigError):
    """A constant, or a bound of the values, does not fit the field of the message that it is for."""


def setter_type(kind: Primitive | Text) -> Callable[[Any], Any]:
    """Return what makes a number one that ROS's message classes accept in a field of this type."""
    if isinstance(kind, Text):
        return str
    if kind.name == "boolean":
        return lambda value: value >= 0.5
    if kind.name == "octet":
        return lambda value: bytes((round(value),))
    return float if kind.low is None else round


def fit(value: Any, kind: Primitive | Text, constants: Mapping[str, Any], key: str) -> Any:
    """Return a constant as a field of type ``kind`` takes it.

    Args:
        value: a number, text, truth value, or the name of one of ``constants``.
        kind: of the field.
        constants: of the message, by name.
        key: where the constant stands in the contract, for the error.

    Raises:
        FillError: it does not fit.
    """
    if isinstance(kind, Text):
        if not isinstance(value, str):
            raise FillError(f"{key}: {value!r} does not fit a {spell(kind)}; allowed: text, in quotes")
        return value
    if isinstance(value, str):
        if value not in constants:
            known = ", ".join(constants) or "none"
            hint = nearest(value, constants)
            raise FillError(f"{key}: {value!r} is no constant of the message{hint}; allowed: a number, or {known}")
        value = constants[value]
    if isinstance(value, str) or not isinstance(value, bool | int | float):
        raise FillError(f"{key}: {value!r} does not fit a {spell(kind)}; allowed: a number")
    check_number(value, kind, key)
    return setter_type(kind)(value)


def check_number(value: float, kind: Primitive, key: str) -> None:
    """Hold a number against the type of its field.

    Raises:
        FillError: it does not fit.
    """
    if kind.low is None:
        if kind.size == 4 and math.isfinite(value) and abs(value) > _FLOAT32_MAX:
            raise FillError(f"{key}: {value} does not fit a float32")
        return
    assert kind.high is not None
    if not (math.isfinite(value) and value == int(value) and kind.low <= value <= kind.high):
        raise FillError(
            f"{key}: {value} does not fit a {spell(kind)}; allowed: whole numbers from {kind.low} to {kind.high}"
        )
