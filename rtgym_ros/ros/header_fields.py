"""The numbers that stand directly behind a header in a serialised message, read without decoding the rest."""

from __future__ import annotations

from struct import Struct, calcsize
from typing import Any

_LENGTH = {"<": Struct("<I"), ">": Struct(">I")}
_ORIGIN, _FRAME_LENGTH, _FRAME = 4, 12, 16
"""Where alignment counts from (behind the encapsulation), and where the header's ``frame_id`` is."""


class HeaderFields:
    """Reads numbers of one size that follow ``std_msgs/Header``; see :func:`rtgym_ros.ros.stamps.leading_stamp_ns`.

    Args:
        codes: one of :mod:`struct`'s a number, ``"dd"`` for the x and y of a ``PoseStamped``, ``"iI"`` for a time.

    Raises:
        ValueError: they are of several sizes.
    """

    def __init__(self, codes: str) -> None:
        sizes = {calcsize(f"={code}") for code in codes}
        if len(sizes) != 1:
            raise ValueError(f"codes must be of one size, got {codes!r}")
        (self._size,) = sizes
        self._structs = {order: Struct(order + codes) for order in "<>"}

    def read(self, data: bytes) -> tuple[Any, ...]:
        """Return the numbers of the serialised message ``data``."""
        order = "<" if data[1] & 1 else ">"
        (length,) = _LENGTH[order].unpack_from(data, _FRAME_LENGTH)
        end = _FRAME - _ORIGIN + length
        return self._structs[order].unpack_from(data, _ORIGIN + -(-end // self._size) * self._size)
