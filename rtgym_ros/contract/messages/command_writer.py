"""Writes commands: values, stamp and checksum, into one message that is used again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rtgym_ros.contract.messages.command_message import CommandMessage, Written
from rtgym_ros.contract.messages.fitting import check_number, setter_type
from rtgym_ros.contract.messages.layout import Primitive, StructType
from rtgym_ros.contract.messages.selection import select
from rtgym_ros.contract.messages.stamp_field import NANOSECONDS, check_stamp, stamp_field
from rtgym_ros.contract.records.topic import Stamp
from rtgym_ros.core.time_source import NS_PER_S

Array = np.ndarray[Any, Any]


class CommandWriter:
    """Writes the commands of one topic.

    The message is one and the same, command after command: publishing copies it. It belongs to one thread.

    Args:
        layout: of the message type.
        parts: of the action that share the command.
        fill: constants by path; see :class:`CommandMessage`.
        stamp: the field for the time of sending; None: ``header.stamp`` where there is one. A counter that is too
            narrow for the time wraps.
        checksum: called with the finished message, which it changes in place.

    Attributes:
        message: the message.
        set_task_values: :meth:`CommandMessage.set_task_values`.

    Raises:
        FieldPathError: a path does not lead to a number, or the field of the stamp cannot hold one.
        FillError: a constant does not fit its field.
    """

    def __init__(
        self,
        layout: StructType,
        parts: Sequence[Written],
        fill: Mapping[str, Any] | None = None,
        stamp: Stamp | None = None,
        checksum: Callable[[Any], object] | None = None,
    ) -> None:
        made = CommandMessage(layout, parts, fill or {}, stamp)
        self.message = made.message
        self.set_task_values = made.set_task_values
        self._slots = made.slots
        self._puts = [(made.setter(slot.leaf), setter_type(slot.leaf.kind)) for slot in made.slots]
        self._write_stamp = _stamp_writer(made, layout, stamp)
        self._checksum = checksum

    @property
    def size(self) -> int:
        """Number of values of a command."""
        return len(self._slots)

    def check_bounds(self, low: Sequence[float] | Array, high: Sequence[float] | Array) -> None:
        """Hold the bounds of the values against the types of their fields.

        Raises:
            FillError: a command within the bounds would not fit.
        """
        for slot, *bounds in zip(self._slots, low, high, strict=True):
            for name, bound in zip(("low", "high"), bounds, strict=True):
                if isinstance(slot.leaf.kind, Primitive) and slot.leaf.kind.low is not None:
                    check_number(float(np.trunc(bound)), slot.leaf.kind, f"{name} of {slot.path}")
                elif isinstance(slot.leaf.kind, Primitive):
                    check_number(float(bound), slot.leaf.kind, f"{name} of {slot.path}")

    def write(self, values: Sequence[float] | Array, stamp_ns: int) -> Any:
        """Return the message of a command, finished; it is the same object each time.

        Args:
            values: of all parts, in order; numbers for integer fields are rounded.
            stamp_ns: ROS time of sending (ns).
        """
        for (put, convert), value in zip(self._puts, np.asarray(values).tolist(), strict=True):
            put(convert(value))
        if self._write_stamp is not None:
            self._write_stamp(stamp_ns)
        if self._checksum is not None:
            self._checksum(self.message)
        return self.message


def _stamp_writer(made: CommandMessage, layout: StructType, stamp: Stamp | None) -> Callable[[int], None] | None:
    stamp = stamp_field(layout, stamp)
    if stamp is None:
        return None
    kind = check_stamp(layout, stamp)
    leaf = select(layout, stamp.field, growing=True).leaves[0]
    if isinstance(kind, StructType):
        time = made.owner(leaf)

        def write_time(stamp_ns: int) -> None:
            time.sec, time.nanosec = divmod(stamp_ns, NS_PER_S)

        return write_time
    assert isinstance(kind, Primitive)
    assert stamp.unit is not None
    unit, put = NANOSECONDS[stamp.unit], made.setter(leaf)
    if kind.low is None:
        return lambda stamp_ns: put(stamp_ns / unit)
    span, low = 1 << 8 * kind.size, kind.low
    return lambda stamp_ns: put((stamp_ns // unit - low) % span + low)
