"""Constants of message types: by name, near the field that they are meant for."""

from __future__ import annotations

from collections.abc import Sequence

from rtgym_ros.contract.messages.layout import ArrayType, FieldType, SequenceType, StructType
from rtgym_ros.contract.messages.selection import Hop


def constants_near(layout: StructType, route: Sequence[Hop]) -> dict[str, int | float | str]:
    """Return the constants of the messages on the way to a field; the nearest one of a name counts."""
    constants: dict[str, int | float | str] = {}
    here: FieldType = layout
    for hop in route:
        if isinstance(here, StructType):
            constants |= here.constants()
            here = here.fields[str(hop)]
        elif isinstance(here, ArrayType | SequenceType):
            here = here.element
    return constants
