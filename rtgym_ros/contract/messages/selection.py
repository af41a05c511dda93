"""What field paths select in a message type: numbers and texts, each by the way that leads to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from rtgym_ros.contract.messages.field_path import FieldPathError, Key, Slice, Step, parse_path
from rtgym_ros.contract.messages.layout import ArrayType, FieldType, Primitive, SequenceType, StructType, Text, spell
from rtgym_ros.core.errors import nearest


@dataclass(frozen=True)
class Joint:
    """The element of the joint that stands at this place of the contract's ``names``."""

    place: int


class Whole(Enum):
    """A sequence of numbers as one array, however long it is."""

    WHOLE = "whole"


Hop: TypeAlias = str | int | Key | Joint | Whole
"""One move down: into a field, an element by number, by key or by joint name, or a sequence as it is."""

NAME_FIELDS = ("name", "joint_names")
"""Where a message lists the joints that its sequences are in the order of."""


@dataclass(frozen=True)
class Leaf:
    """One value of a message.

    Attributes:
        route: how to get there from the message.
        kind: what stands there.
    """

    route: tuple[Hop, ...]
    kind: Primitive | Text


@dataclass(frozen=True)
class Selection:
    """What one entry of ``fields`` selects.

    Attributes:
        path: as the contract spells it.
        leaves: the values, in order.
        target: the type at the path's end; of each element where that is a slice.
    """

    path: str
    leaves: tuple[Leaf, ...]
    target: FieldType

    @property
    def is_quaternion(self) -> bool:
        """Whether it is a message of the numbers x, y, z and w, in that order."""
        return isinstance(self.target, StructType) and list(self.target.fields) == ["x", "y", "z", "w"]


def select(
    layout: StructType, path: str, names: Sequence[str] | None = None, allow_whole: bool = False, growing: bool = False
) -> Selection:
    """Resolve ``path`` against a message type.

    Args:
        layout: of the message type.
        path: of the field.
        names: joints, where the part has ``names``: a sequence without a subscript then stands for their elements.
        allow_whole: a sequence of numbers without a subscript is selected as one array.
        growing: a sequence may be asked for beyond no end: on commands, where it gets the length that is asked for.

    Raises:
        FieldPathError: there is no such field, or it is not a number; the message says which fields there are.
    """
    return _Walk(path, names, allow_whole, growing).select(layout)


class _Walk:
    def __init__(self, path: str, names: Sequence[str] | None, allow_whole: bool, growing: bool) -> None:
        self._path = path
        self._names = names
        self._allow_whole = allow_whole
        self._growing = growing

    def select(self, layout: StructType) -> Selection:
        routes: list[tuple[Hop, ...]] = [()]
        here: FieldType = layout
        for step in parse_path(self._path):
            here = self._enter(here, step)
            routes = [(*route, step.field) for route in routes]
            if step.subscript is not None:
                hops, here = self._subscript(here, step)
                routes = [(*route, hop) for route in routes for hop in hops]
            elif self._names is not None and isinstance(here, ArrayType | SequenceType):
                if any(isinstance(hop, Joint) for hop in routes[0]):
                    raise self._error(f"{step.field!r} needs a subscript: `names` already chose elements above it")
                here = here.element
                # Field by field, so the joints are the slowest to change only within this entry.
                routes = [(*route, Joint(place)) for route in routes for place in range(len(self._names))]
        leaves = [leaf for route in routes for leaf in self._leaves(here, route, top=True)]
        if self._names is not None and not any(isinstance(hop, Joint) for leaf in leaves for hop in leaf.route):
            raise self._error("it is no sequence with an element for each of `names`")
        return Selection(self._path, tuple(leaves), here)

    def _enter(self, here: FieldType, step: Step) -> FieldType:
        if isinstance(here, ArrayType | SequenceType):
            raise self._error(
                f"{step.field!r} stands behind {spell(here)}, which needs a subscript: [0], [0:6] or [name=x]"
            )
        if not isinstance(here, StructType):
            raise self._error(f"{step.field!r} stands behind a {spell(here)}, which has no fields")
        if step.field not in here.fields:
            has = ", ".join(here.fields) or "none"
            raise self._error(
                f"{here.name} has no field {step.field!r}{nearest(step.field, here.fields)}: it has {has}"
            )
        return here.fields[step.field]

    def _subscript(self, here: FieldType, step: Step) -> tuple[list[Hop], FieldType]:
        if not isinstance(here, ArrayType | SequenceType):
            raise self._error(f"{step.field!r} is a {spell(here)}, of which there are no elements")
        if isinstance(step.subscript, Key):
            return [self._check_key(here.element, step.subscript)], here.element
        length = here.length if isinstance(here, ArrayType) else here.bound
        if isinstance(step.subscript, Slice):
            stop = step.subscript.stop
            if stop is None:
                if not isinstance(here, ArrayType):
                    raise self._error(
                        f"{step.field!r} is a {spell(here)}: say where the slice ends, [{step.subscript.start}:N]"
                    )
                stop = here.length
            indices: Sequence[int] = range(step.subscript.start, stop)
        else:
            assert step.subscript is not None
            indices = step.subscript
        if length is not None and max(indices, default=length) >= length:
            raise self._error(f"{step.field!r} has elements 0 to {length - 1}, not {max(indices, default=length)}")
        return list(indices), here.element

    def _check_key(self, element: FieldType, key: Key) -> Key:
        if self._growing:
            raise self._error(
                f"[{key.field}={key.value}] looks for an element, which a command has none of: give its number"
            )
        here = element
        for field in key.field.split("."):
            here = self._enter(here, Step(field))
        if isinstance(here, Text):
            return key
        if not isinstance(here, Primitive) or here.low is None:
            raise self._error(f"[{key.field}=...] compares a {spell(here)}: a string or an integer can be compared")
        try:
            int(key.value, 0)
        except ValueError:
            raise self._error(f"[{key.field}={key.value}] compares a {spell(here)} with something else") from None
        return key

    def _leaves(self, here: FieldType, route: tuple[Hop, ...], top: bool) -> list[Leaf]:
        """Return the numbers of a message of numbers, or of an array, or the one value that stands here."""
        match here:
            case Primitive():
                return [Leaf(route, here)]
            case Text() if top:
                return [Leaf(route, here)]
            case ArrayType(element=element, length=length):
                return [leaf for i in range(length) for leaf in self._leaves(element, (*route, i), top=False)]
            case StructType(fields=fields) if fields:
                return [leaf for name, kind in fields.items() for leaf in self._leaves(kind, (*route, name), top=False)]
            case SequenceType(element=Primitive() as element) if self._allow_whole and top:
                return [Leaf((*route, Whole.WHOLE), element)]
            case SequenceType():
                raise self._error(f"it ends at a {spell(here)}, whose length each message tells: say which part, [0:N]")
        has = f": it has {', '.join(here.fields)}" if isinstance(here, StructType) else ""
        raise self._error(
            f"{'.'.join(map(str, route))!r} is a {spell(here)}, not a number or a message of numbers{has}"
        )

    def _error(self, what: str) -> FieldPathError:
        return FieldPathError(f"field path {self._path!r}: {what}")
