"""The keys of ``map``: text, numbers, and constants of the message by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rtgym_ros.contract.conversions.converter import ConversionError
from rtgym_ros.contract.messages.constants import constants_near
from rtgym_ros.contract.messages.layout import StructType, Text
from rtgym_ros.contract.messages.selection import Leaf
from rtgym_ros.core.errors import nearest


def map_keys(layout: StructType, leaves: Sequence[Leaf], table: Mapping[str, float]) -> dict[str | int, float]:
    """Return ``table`` with its keys as the values that the leaves have in messages.

    Raises:
        ConversionError: a key is neither a whole number nor a constant of the message, though the field is a number.
    """
    keys: dict[str | int, float] = {}
    for leaf in leaves:
        if isinstance(leaf.kind, Text):
            keys.update(table)
            continue
        constants = constants_near(layout, leaf.route)
        for key, number in table.items():
            keys[_value(key, constants)] = number
    return keys


def _value(key: str, constants: Mapping[str, int | float | str]) -> int:
    value = constants.get(key)
    if isinstance(value, int):
        return int(value)
    try:
        return int(str(key), 0)
    except ValueError:
        known = ", ".join(constants) or "none"
        raise ConversionError(
            f"map: {key!r} is neither a whole number nor a constant of the message{nearest(str(key), constants)}: "
            f"it has {known}"
        ) from None
