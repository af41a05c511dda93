"""Between ROS stamps and integer nanoseconds."""

from __future__ import annotations

from typing import Any

from builtin_interfaces.msg import Duration, Time

from rtgym_ros.core.time_source import NS_PER_S


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
