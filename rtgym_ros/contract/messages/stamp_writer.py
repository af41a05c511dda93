"""The stamp of a command: a time, or a counter of a unit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rtgym_ros.contract.messages.field_path import FieldPathError
from rtgym_ros.contract.messages.layout import FieldType, Primitive, StructType, spell
from rtgym_ros.contract.messages.selection import select
from rtgym_ros.contract.records.topic import Stamp

NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
HEADER_STAMP = "header.stamp"
_NS_PER_S = 1_000_000_000


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


def make_stamp_writer(layout: StructType, message: Any, stamp: Stamp | None) -> Callable[[int], None]:
    """Return a function that writes a ROS time (ns) into ``message``; it does nothing where there is no stamp.

    A counter that is too narrow for the time wraps.

    Raises:
        FieldPathError: the field cannot hold a stamp.
    """
    stamp = stamp_field(layout, stamp)
    if stamp is None:
        return lambda _stamp_ns: None
    kind = check_stamp(layout, stamp)
    *above, last = select(layout, stamp.field, growing=True).leaves[0].route
    parent = message
    for hop in above:
        parent = parent[hop] if isinstance(hop, int) else getattr(parent, str(hop))
    if isinstance(kind, StructType):

        def write_time(stamp_ns: int) -> None:
            parent.sec, parent.nanosec = divmod(stamp_ns, _NS_PER_S)

        return write_time
    assert isinstance(kind, Primitive)
    assert stamp.unit is not None
    unit = NANOSECONDS[stamp.unit]
    put = partial(parent.__setitem__, last) if isinstance(last, int) else partial(setattr, parent, str(last))
    if kind.low is None:
        return lambda stamp_ns: put(stamp_ns / unit)
    span, low = 1 << 8 * kind.size, kind.low
    return lambda stamp_ns: put((stamp_ns // unit - low) % span + low)
