"""Selected values of a deserialised message: slower than reading the bytes, for what cannot be found in them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np

from rtgym_ros.contract.messages.field_path import Key
from rtgym_ros.contract.messages.joint_lookup import JointLookup, Pick
from rtgym_ros.contract.messages.selection import NAME_FIELDS, Joint, Leaf, Whole
from rtgym_ros.contract.messages.skipped import Reason, SkippedMessage


def read_message(message: Any, leaves: Sequence[Leaf], lookup: JointLookup | None) -> tuple[Any, ...]:
    """Return the values of ``leaves`` in a deserialised message, in order.

    Raises:
        SkippedMessage: the message counts as not having come.
    """
    pick: Pick = tuple
    last = -1
    if lookup is not None:
        names = next(getattr(message, name) for name in NAME_FIELDS if hasattr(message, name))
        pick, last = lookup.find(names)
    values = []
    for leaf in leaves:
        here = message
        for hop in leaf.route:
            match hop:
                case str():
                    here = getattr(here, hop)
                case int():
                    if hop >= len(here):
                        raise SkippedMessage(Reason.TOO_SHORT)
                    here = here[hop]
                case Joint(place=place):
                    if last >= len(here):
                        raise SkippedMessage(Reason.TOO_SHORT)
                    here = pick(here)[place]
                case Key():
                    here = _element(here, hop)
                case Whole.WHOLE:
                    here = np.asarray(here if isinstance(here, array | np.ndarray) else _numbers(here))
        values.append(_number(here))
    return tuple(values)


def _element(elements: Sequence[Any], key: Key) -> Any:
    for element in elements:
        value = element
        for field in key.field.split("."):
            value = _number(getattr(value, field))
        if value == (key.value if isinstance(value, str) else int(key.value, 0)):
            return element
    raise SkippedMessage(Reason.NO_ELEMENT)


def _numbers(values: Sequence[Any]) -> list[Any]:
    return [_number(value) for value in values]


def _number(value: Any) -> Any:
    """Return a value as the bytes have it: a byte is a number."""
    if isinstance(value, bytes):
        return value[0]
    return value.item() if isinstance(value, np.generic) else value
