"""Between ROS stamps and integer nanoseconds, in messages and in their serialised bytes."""

from __future__ import annotations

import struct
from typing import Any

from builtin_interfaces.msg import Duration, Time

from rtgym_ros.core.time_source import NS_PER_S

_LITTLE, _BIG = struct.Struct("<iI"), struct.Struct(">iI")
_CDR_HEADER_BYTES = 4


def to_time(nanoseconds: int) -> Time:
    """Return ``nanoseconds`` since the epoch as a message."""
    sec, nanosec = divmod(nanoseconds, NS_PER_S)
    return Time(sec=sec, nanosec=nanosec)


def to_duration(nanoseconds: int) -> Duration:
    """Return a span of ``nanoseconds`` as a message."""
    sec, nanosec = divmod(nanoseconds, NS_PER_S)
    return Duration(sec=sec, nanosec=nanosec)


def to_nanoseconds(stamp: Time) -> int:
    """Return a stamp as nanoseconds since the epoch."""
    return int(stamp.sec) * NS_PER_S + int(stamp.nanosec)


def header_stamp_ns(message: Any) -> int | None:
    """Return the header stamp of ``message`` (ns); None if it has no header, or a stamp of zero: nobody set it."""
    header = getattr(message, "header", None)
    return (to_nanoseconds(header.stamp) or None) if header is not None else None


def begins_with_stamp(message_type: Any) -> bool:
    """Return whether the serialised form of ``message_type`` begins with a stamp: a header first, or a time."""
    first = next(iter(message_type.get_fields_and_field_types().values()), "")
    return first in ("std_msgs/Header", "builtin_interfaces/Time")


def leading_stamp_ns(data: bytes) -> int:
    """Return the stamp (ns) that the serialised message ``data`` begins with; see :func:`begins_with_stamp`.

    CDR (the encoding of every ROS 2 middleware): two bytes of encapsulation, whose second is odd for little endian, two
    bytes of options, then the members in order, each aligned to its size: ``int32 sec``, ``uint32 nanosec``.
    """
    sec, nanosec = (_LITTLE if data[1] & 1 else _BIG).unpack_from(data, _CDR_HEADER_BYTES)
    return int(sec) * NS_PER_S + int(nanosec)
