"""Which field of a message is its stamp: a time, or a counter of a unit."""

from __future__ import annotations

from rtgym_ros.contract.messages.field_path import FieldPathError
from rtgym_ros.contract.messages.layout import FieldType, Primitive, StructType, spell
from rtgym_ros.contract.messages.selection import select
from rtgym_ros.contract.records.topic import Stamp

NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
HEADER_STAMP = "header.stamp"


def is_time(kind: FieldType | None) -> bool:
    """Whether a type is ``builtin_interfaces/Time``, or looks like it."""
    return isinstance(kind, StructType) and list(kind.fields) == ["sec", "nanosec"]


def has_header_stamp(layout: StructType) -> bool:
    """Whether a message has a header with a stamp."""
    header = layout.fields.get("header")
    return isinstance(header, StructType) and is_time(header.fields.get("stamp"))


def stamp_field(layout: StructType, stamp: Stamp | None) -> Stamp | None:
    """Return which field is the stamp, by default ``header.stamp`` where there is one; None for no stamp."""
    if stamp is None:
        return Stamp(field=HEADER_STAMP) if has_header_stamp(layout) else None
    return None if stamp.field in ("none", "received") else stamp


def check_stamp(layout: StructType, stamp: Stamp) -> FieldType:
    """Return the type of a stamp's field.

    Raises:
        FieldPathError: the field is neither a Time nor a number with a ``unit``, or it is several.
    """
    selection = select(layout, stamp.field)
    target = selection.target
    if len(selection.leaves) != (2 if is_time(target) else 1) and isinstance(target, Primitive | StructType):
        raise FieldPathError(f"stamp {stamp.field!r}: it selects more than one; allowed: one Time, or one number")
    if is_time(target):
        return target
    if not isinstance(target, Primitive) or target.name == "boolean":
        raise FieldPathError(
            f"stamp {stamp.field!r}: it is a {spell(target)}; allowed: a Time, or a number with `unit`"
        )
    if stamp.unit is None:
        raise FieldPathError(f"stamp {stamp.field!r}: it is a {spell(target)} and needs `unit`; allowed: s, ms, us, ns")
    return target
