"""The message of a command, made once: sequences as long as they have to be, constants and joint names in place."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rtgym_ros.contract.messages.constants import constants_near
from rtgym_ros.contract.messages.field_path import FieldPathError
from rtgym_ros.contract.messages.fitting import FillError, fit
from rtgym_ros.contract.messages.layout import ArrayType, FieldType, Primitive, SequenceType, StructType, Text
from rtgym_ros.contract.messages.selection import NAME_FIELDS, Joint, Leaf, Selection, select
from rtgym_ros.contract.messages.stamp_field import stamp_field
from rtgym_ros.contract.records.topic import Stamp
from rtgym_ros.core.errors import nearest

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
class Slot:
    """Where one value goes.

    Attributes:
        leaf: its place in the message, and its type.
        path: of the contract, which it is part of.
    """

    leaf: Leaf
    path: str


class CommandMessage:
    """A message that is written into and published again and again.

    Args:
        layout: of the message type.
        parts: of the action that share the command.
        fill: constants by path; a number spreads over an array or a message of numbers, ``task.NAME`` takes what the
            task gives, text names a constant of the message where the field is a number.
        stamp: the field for the time of sending; None: ``header.stamp`` where there is one.

    Attributes:
        message: the message itself.
        slots: where the values of a command go, in order.

    Raises:
        FieldPathError: a path does not lead to a number.
        FillError: a constant does not fit its field.
    """

    def __init__(
        self, layout: StructType, parts: Sequence[Written], fill: Mapping[str, Any], stamp: Stamp | None
    ) -> None:
        self.message: Any = layout.message_class()
        self._layout = layout
        self._names = list(dict.fromkeys(part.prefix + name for part in parts for name in part.names or ()))
        self.slots = [slot for part in parts for slot in self._part_slots(part)]
        self._lengths: dict[tuple[Any, ...], int] = {}
        for slot in self.slots:
            self._reach(slot.leaf)
        stamped = stamp_field(layout, stamp)
        for leaf in () if stamped is None else select(layout, stamped.field, growing=True).leaves:
            self._reach(leaf)
        constants = [self._constant(path, value) for path, value in fill.items()]
        self._allocate(self.message, layout, ())
        self._write_names()
        self._task: list[tuple[str, list[Slot]]] = []
        for path, slots, value in constants:
            if isinstance(value, str) and value.startswith(_TASK):
                self._task.append((value.removeprefix(_TASK), slots))
            else:
                values = list(value) if isinstance(value, tuple | list) else [value]
                self._put_constants(f"fill.{path}", slots, values)

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

    def owner(self, leaf: Leaf) -> Any:
        """Return the part of the message that a leaf is a field or an element of."""
        owner = self.message
        for hop in leaf.route[:-1]:
            owner = owner[hop] if isinstance(hop, int) else getattr(owner, str(hop))
        return owner

    def setter(self, leaf: Leaf) -> Callable[[Any], None]:
        """Return what sets the value of a leaf."""
        owner, last = self.owner(leaf), leaf.route[-1]
        return partial(owner.__setitem__, last) if isinstance(last, int) else partial(setattr, owner, str(last))

    def _part_slots(self, part: Written) -> Iterator[Slot]:
        for path in part.fields:
            for leaf in select(self._layout, path, part.names, growing=True).leaves:
                if isinstance(leaf.kind, Text):
                    raise FieldPathError(f"field path {path!r}: it is a string, which an action cannot be")
                route = tuple(
                    self._names.index(part.prefix + (part.names or ())[hop.place]) if isinstance(hop, Joint) else hop
                    for hop in leaf.route
                )
                yield Slot(Leaf(route, leaf.kind), path)

    def _reach(self, leaf: Leaf) -> None:
        """Note how long sequences have to be for a value to have its place."""
        for depth, hop in enumerate(leaf.route):
            if isinstance(hop, int):
                above = leaf.route[:depth]
                self._lengths[above] = max(self._lengths.get(above, 0), hop + 1)

    def _constant(self, path: str, value: Any) -> tuple[str, list[Slot], Any]:
        selection = self._fill_selection(path, value)
        slots = [Slot(leaf, path) for leaf in selection.leaves]
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

    def _put_constants(self, key: str, slots: list[Slot], values: list[Any]) -> None:
        if len(values) not in (1, len(slots)):
            raise FillError(f"{key}: {len(values)} values for {len(slots)}; allowed: one, or one each")
        for slot, value in zip(slots, values * len(slots) if len(values) == 1 else values, strict=False):
            fitting = fit(value, slot.leaf.kind, constants_near(self._layout, slot.leaf.route), key)
            self.setter(slot.leaf)(fitting)

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
