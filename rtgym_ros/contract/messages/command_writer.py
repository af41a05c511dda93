"""Writes commands: values, constants, names of joints, stamp and checksum, into one message that is used again."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rtgym_ros.contract.messages.constants import constants_near
from rtgym_ros.contract.messages.field_path import FieldPathError
from rtgym_ros.contract.messages.fitting import FillError, check_number, fit, setter_type
from rtgym_ros.contract.messages.layout import ArrayType, FieldType, Primitive, SequenceType, StructType, Text
from rtgym_ros.contract.messages.selection import NAME_FIELDS, Joint, Leaf, Selection, select
from rtgym_ros.contract.messages.stamp_writer import make_stamp_writer, stamp_field
from rtgym_ros.contract.records.topic import Stamp
from rtgym_ros.core.errors import nearest

Array = np.ndarray[Any, Any]
_TASK = "task."


@dataclass(frozen=True)
class Written:
    """What one part of the action writes.

    Attributes:
        fields: paths of the fields.
        names: joints that the fields are for.
        prefix: goes before each name.
    """

    fields: Sequence[str]
    names: Sequence[str] | None = None
    prefix: str = ""


@dataclass
class _Slot:
    """Where one value goes."""

    leaf: Leaf
    path: str
    put: Callable[[Any], None] = field(default=lambda _: None)


class CommandWriter:
    """Writes the commands of one topic.

    The message is one and the same, command after command: publishing copies it. It belongs to one thread.

    Args:
        layout: of the message type.
        parts: of the action that share the command.
        fill: constants by path; a number spreads over an array or a message of numbers, ``task.NAME`` takes what the
            task gives, text names a constant of the message where the field is a number.
        stamp: the field for the time of sending; None: ``header.stamp`` where there is one.
        checksum: called with the finished message, which it changes in place.

    Raises:
        FieldPathError: a path does not lead to a number.
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
        self.message: Any = layout.message_class()
        self._layout = layout
        self._checksum = checksum
        self._names = list(dict.fromkeys(part.prefix + name for part in parts for name in part.names or ()))
        self._slots = [slot for part in parts for slot in self._part_slots(part)]
        self._lengths: dict[tuple[Any, ...], int] = {}
        for slot in self._slots:
            self._reach(slot.leaf)
        stamped = stamp_field(layout, stamp)
        for leaf in () if stamped is None else select(layout, stamped.field, growing=True).leaves:
            self._reach(leaf)
        constants = [self._constant(path, value) for path, value in (fill or {}).items()]
        self._allocate(self.message, layout, ())
        self._write_names()
        for slot in self._slots:
            slot.put = self._setter(slot.leaf)
        self._task: list[tuple[str, list[_Slot]]] = []
        for path, slots, values in constants:
            self._write_constant(path, slots, values)
        self._write_stamp = make_stamp_writer(layout, self.message, stamp)
        self._puts = [(slot.put, setter_type(slot.leaf.kind)) for slot in self._slots]

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

    def set_task_values(self, values: Mapping[str, Any]) -> None:
        """Fill the constants ``task.NAME`` with what the task's ``reset`` returned.

        Raises:
            FillError: one is missing, or does not fit.
        """
        for name, slots in self._task:
            if name not in values:
                raise FillError(f"fill: the task gives no {name!r}{nearest(name, values)}")
            numbers = np.atleast_1d(np.asarray(values[name])).ravel().tolist()
            self._put_constants(f"task.{name}", slots, numbers)

    def write(self, values: Sequence[float] | Array, stamp_ns: int) -> Any:
        """Return the message of a command, finished; it is the same object each time.

        Args:
            values: of all parts, in order; numbers for integer fields are rounded.
            stamp_ns: ROS time of sending (ns).
        """
        for (put, convert), value in zip(self._puts, np.asarray(values).tolist(), strict=True):
            put(convert(value))
        self._write_stamp(stamp_ns)
        if self._checksum is not None:
            self._checksum(self.message)
        return self.message

    # --- What is written where ----------------------------------------------------------------------------

    def _part_slots(self, part: Written) -> Iterator[_Slot]:
        for path in part.fields:
            for leaf in select(self._layout, path, part.names, growing=True).leaves:
                if isinstance(leaf.kind, Text):
                    raise FieldPathError(f"field path {path!r}: it is a string, which an action cannot be")
                route = tuple(
                    self._names.index(part.prefix + (part.names or ())[hop.place]) if isinstance(hop, Joint) else hop
                    for hop in leaf.route
                )
                yield _Slot(Leaf(route, leaf.kind), path)

    def _reach(self, leaf: Leaf) -> None:
        """Note how long sequences have to be for a value to have its place."""
        for depth, hop in enumerate(leaf.route):
            if isinstance(hop, int):
                above = leaf.route[:depth]
                self._lengths[above] = max(self._lengths.get(above, 0), hop + 1)

    def _constant(self, path: str, value: Any) -> tuple[str, list[_Slot], Any]:
        selection = self._fill_selection(path, value)
        slots = [_Slot(leaf, path) for leaf in selection.leaves]
        for slot in slots:
            self._reach(slot.leaf)
        return path, slots, value

    def _fill_selection(self, path: str, value: Any) -> Selection:
        try:
            return select(self._layout, path, growing=True)
        except FieldPathError:
            here: FieldType = self._layout
            for name in path.split("."):
                if not isinstance(here, StructType) or name not in here.fields:
                    raise
                here = here.fields[name]
            if not isinstance(here, SequenceType):
                raise
        # A sequence as it stands: as long as the list, or as what is written into it.
        length = len(value) if isinstance(value, tuple | list) else self._lengths.get(tuple(path.split(".")), 0)
        if not length:
            raise FillError(f"fill.{path}: one value for a sequence of no length; allowed: a list, or {path}[0:N]")
        return select(self._layout, f"{path}[0:{length}]", growing=True)

    def _write_constant(self, path: str, slots: list[_Slot], value: Any) -> None:
        for slot in slots:
            slot.put = self._setter(slot.leaf)
        if isinstance(value, str) and value.startswith(_TASK):
            self._task.append((value.removeprefix(_TASK), slots))
            return
        self._put_constants(f"fill.{path}", slots, list(value) if isinstance(value, tuple | list) else [value])

    def _put_constants(self, key: str, slots: list[_Slot], values: list[Any]) -> None:
        if len(values) not in (1, len(slots)):
            raise FillError(f"{key}: {len(values)} values for {len(slots)}; allowed: one, or one each")
        for slot, value in zip(slots, values * len(slots) if len(values) == 1 else values, strict=False):
            slot.put(fit(value, slot.leaf.kind, constants_near(self._layout, slot.leaf.route), key))

    # --- The message --------------------------------------------------------------------------------------

    def _allocate(self, message: Any, kind: FieldType, route: tuple[Any, ...]) -> None:
        """Give every sequence its length."""
        if isinstance(kind, StructType):
            for name, below in kind.fields.items():
                here = (*route, name)
                if isinstance(below, SequenceType) and here in self._lengths:
                    setattr(message, name, _elements(below.element, self._lengths[here]))
                self._allocate(getattr(message, name), below, here)
        elif isinstance(kind, ArrayType | SequenceType) and not isinstance(kind.element, Primitive | Text):
            for index, element in enumerate(message):
                self._allocate(element, kind.element, (*route, index))

    def _write_names(self) -> None:
        name = next((name for name in NAME_FIELDS if name in self._layout.fields), None)
        if self._names and name is None:
            raise FieldPathError(
                f"`names` needs a message with a field `name` or `joint_names`: {self._layout.name} has none"
            )
        if self._names:
            setattr(self.message, str(name), list(self._names))

    def _setter(self, leaf: Leaf) -> Callable[[Any], None]:
        parent = self.message
        for hop in leaf.route[:-1]:
            parent = parent[hop] if isinstance(hop, int) else getattr(parent, str(hop))
        last = leaf.route[-1]
        if isinstance(last, int):
            elements = parent
            return lambda value: elements.__setitem__(last, value)
        name = str(last)
        return lambda value: setattr(parent, name, value)


def _elements(kind: FieldType, length: int) -> Any:
    """Return a sequence of ``length`` new elements, as ROS's message classes keep it."""
    match kind:
        case StructType(message_class=message_class):
            return [message_class() for _ in range(length)]
        case Text():
            return [""] * length
        case Primitive(name="boolean"):
            return [False] * length
        case Primitive(name="octet"):
            return [b"\0"] * length
        case Primitive(code=code):
            return array(code, [0] * length)
    raise TypeError(f"a sequence of {kind} does not exist")
