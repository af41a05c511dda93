"""Writes the Python function that reads selected values out of serialised messages of one type.

ROS 2's middlewares hand out CDR (OMG DDS-RTPS, "plain CDR"): four bytes that name the encoding, then the fields in
their order, each number aligned to its own size, counted from behind those four bytes. A string is its length with
the terminating zero, then its characters; a sequence is its length, then its elements; a message within a message is
just its fields. Where all that stands in front of a value has a fixed size, so has its position, and one
``struct.Struct`` reads all such values at once; behind strings and sequences the function computes positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct, unpack_from
from typing import Any

import numpy as np

from rtgym_ros.contract.messages.code_cursor import HEADER, MAX_ALIGNMENT, CodeCursor
from rtgym_ros.contract.messages.field_path import Key
from rtgym_ros.contract.messages.joint_lookup import JointLookup
from rtgym_ros.contract.messages.layout import (
    ArrayType,
    FieldType,
    Primitive,
    SequenceType,
    StructType,
    Text,
    serialized_size,
)
from rtgym_ros.contract.messages.selection import NAME_FIELDS, Joint, Leaf, Whole
from rtgym_ros.contract.messages.skipped import Reason, SkippedMessage
from rtgym_ros.contract.messages.wanted import Tree, tree_of, variables_of

_RUN = 16
"""From so many neighbours on a view of NumPy is faster than Python numbers."""


class UnreadableError(Exception):
    """The values cannot be found in the bytes: the message has to be deserialised."""


def write_reader(layout: StructType, leaves: Sequence[Leaf], lookup: JointLookup | None, order: str) -> Any:
    """Return a function of a serialised message that returns the values of ``leaves``, as a tuple.

    Runs of many numbers, and sequences as a whole, are NumPy arrays in that tuple (views of the message), each in place
    of all its values.

    Args:
        layout: of the message type.
        leaves: what to read.
        lookup: finds the joints, where leaves have joints.
        order: byte order of the messages, ``"<"`` or ``">"``.

    Raises:
        UnreadableError: what is in front of a value cannot be skipped.
    """
    return _Writer(layout, leaves, lookup, order).write()


class _Writer(CodeCursor):
    def __init__(self, layout: StructType, leaves: Sequence[Leaf], lookup: JointLookup | None, order: str) -> None:
        super().__init__(order)
        self._layout = layout
        self._tree, self._output = tree_of(leaves)
        # Variables that are still to be read: once there are none, what stands behind is of no interest.
        self._unread = set(self._output)
        self._done_with: Sequence[str] = ()
        self.globals |= {"frombuffer": np.frombuffer, "unpack_from": unpack_from}
        self.globals |= {"Skipped": SkippedMessage, "Reason": Reason}
        if lookup is not None:
            length_of = Struct(f"{order}I")
            self.globals["locate"] = lambda buffer, position: lookup.locate(buffer, position, order, length_of)

    def write(self) -> Any:
        if "locate" in self.globals:
            self._read_names()
        for name, field in self._layout.fields.items():
            if name not in self._done_with:
                self._value(field, self._tree.get(name))
        self.flush()
        self.emit(f"return ({', '.join(self._output)}{',' * (len(self._output) == 1)})")
        source = "def read(b):\n" + "\n".join(self.lines) + "\n"
        exec(compile(source, f"<reader of {self._layout.name}>", "exec"), self.globals)
        read = self.globals["read"]
        read.source = source
        return read

    def _read_names(self) -> None:
        """Look up the joints: in front of everything else, since their places are needed to read the rest."""
        field = next((name for name in NAME_FIELDS if name in self._layout.fields), None)
        if field is None:
            raise UnreadableError
        before = list(self._layout.fields)[: list(self._layout.fields).index(field)]
        for name in before:
            self._value(self._layout.fields[name])
        self.align(4)
        self.emit(f"pick, last, o = locate(b, {self.at(HEADER)})")
        if any(name in self._tree for name in [*before, field]):
            self.move_to("", 0, MAX_ALIGNMENT, 0)
        else:
            self.emit(f"o -= {HEADER}")
            self.move_to("o", 0, 1, 0)
            self._done_with = [*before, field]

    # --- The fields ---------------------------------------------------------------------------------------

    def _complete(self) -> bool:
        """Whether nothing that stands further behind is of interest."""
        return not self._unread and not self.loops

    def _value(self, kind: FieldType, wanted: Tree | str | None = None) -> None:
        """Go through a value: past it, or reading what is wanted of it."""
        if self._complete():
            return
        if isinstance(wanted, str):
            self._unread.discard(wanted)
        match kind:
            case Primitive():
                self.align(kind.size)
                if isinstance(wanted, str):
                    self.pending.append((self.offset, kind, wanted))
                self.advance(kind.size)
            case Text():
                self._text(kind, wanted)
            case StructType():
                below = wanted if isinstance(wanted, dict) else {}
                for name, field in kind.fields.items():
                    self._value(field, below.get(name))
                if not kind.fields:
                    self.advance(1)  # C has no empty structures, so the generators put a byte into them
            case ArrayType() | SequenceType():
                self._array(kind, wanted if isinstance(wanted, dict) else {})

    def _text(self, kind: Text, wanted: Tree | str | None) -> None:
        if kind.wide:
            raise UnreadableError  # middlewares do not agree on how wide a wide character is
        self.align(4)
        if isinstance(wanted, str):
            start = self.at(HEADER + 4)
            self.emit(f"{wanted} = b[{start} : {start} + U(b, {self.at(HEADER)})[0] - 1].decode()")
        if not self._complete():
            self.jump(f"{self.at(4)} + U(b, {self.at(HEADER)})[0]")

    def _array(self, kind: ArrayType | SequenceType, wanted: Tree) -> None:
        count = str(kind.length) if isinstance(kind, ArrayType) else self.new_name("n")
        if isinstance(kind, SequenceType):
            self.align(4)
            self.flush()
            self.emit(f"{count} = U(b, {self.at(HEADER)})[0]")
            self.advance(4)
        self._require(kind, count, wanted)
        element = kind.element
        if isinstance(element, Primitive):
            self._numbers(element, count, wanted)
            return
        indices: Tree = {hop: below for hop, below in wanted.items() if isinstance(hop, int)}
        keys: Tree = {hop: below for hop, below in wanted.items() if isinstance(hop, Key)}
        joints = {hop.place: below for hop, below in wanted.items() if isinstance(hop, Joint)}
        if isinstance(kind, SequenceType):
            self.flush()
            with self.block(f"if {count} > len(b):"):  # each element takes a byte at least
                self.emit("raise Skipped(Reason.MALFORMED)")
        passes = [indices] * bool(indices) + [keys] * bool(keys) + [joints] * bool(joints)
        start = self.new_name("p")
        if len(passes) > 1:
            self.flush()
            self.emit(f"{start} = {self.at()}")
        begin = (self.modulus, self.residue)
        for number, elements in enumerate(passes or [indices]):
            if number:
                self.flush()
                self.emit(f"o = {start}")
                self.move_to("o", 0, *begin)
            if elements is keys and keys:
                self._by_key(element, count, keys)
            elif elements is joints and joints:
                self._by_joint(element, count, joints)
            else:
                self._by_index(element, kind, count, indices)

    def _require(self, kind: ArrayType | SequenceType, count: str, wanted: Tree) -> None:
        """Refuse a message that has too few elements."""
        greatest = max((hop for hop in wanted if isinstance(hop, int)), default=None)
        bounds = ["last"] if any(isinstance(hop, Joint) for hop in wanted) else []
        if greatest is not None and isinstance(kind, SequenceType):
            bounds.append(str(greatest))
        for bound in bounds:
            with self.block(f"if {count} <= {bound}:"):
                self.emit("raise Skipped(Reason.TOO_SHORT)")

    def _numbers(self, element: Primitive, count: str, wanted: Tree) -> None:
        fixed = count.isdigit()
        self._unread.difference_update(variables_of(wanted))
        if not wanted:
            if fixed:
                if int(count):
                    self.align(element.size)
                self.advance(int(count) * element.size)
            elif element.size > 4:  # an empty sequence is not padded to its first element
                self.jump(self.at())
                with self.block(f"if {count}:"):
                    self.emit(f"o = (o + 7 & -8) + {count} * 8")
                self.move_to("o", 0, 4, 0)
            else:
                self.jump(f"{self.at()} + {count} * {element.size}", element.size)
            return
        dtype = np.dtype(f"{self.order}{element.dtype}" if element.size > 1 else element.dtype)
        if Whole.WHOLE in wanted and not fixed:
            self.jump(self.at())
            if element.size > 4:
                with self.block(f"if {count}:"):
                    self.emit("o = o + 7 & -8")
        else:
            self.align(element.size)
        start = self.at(HEADER)
        if isinstance(variable := wanted.get(Whole.WHOLE), str):
            self.flush()
            self.emit(f"{variable} = frombuffer(b, {self.constant(dtype)}, {count}, {start})")
        joints = {hop.place: variable for hop, variable in wanted.items() if isinstance(hop, Joint)}
        if joints:
            self.flush()
            picked = self.new_name("t")
            self.emit(f"{picked} = pick(unpack_from(f'{self.order}{{{count}}}{element.code}', b, {start}))")
            self.emit(f"{', '.join(f'{v}' for _, v in sorted(joints.items()))}, = {picked}")
        indices = {hop: str(variable) for hop, variable in wanted.items() if isinstance(hop, int)}
        for first, variables in self._runs(indices):
            if len(variables) < _RUN:
                for place, variable in enumerate(variables):
                    self.pending.append((self.offset + (first + place) * element.size, element, variable))
                continue
            self.flush()
            self.emit(
                f"{variables[0]} = frombuffer(b, {self.constant(dtype)}, {len(variables)}, "
                f"{self.at(HEADER + first * element.size)})"
            )
            place = self._output.index(variables[0])
            del self._output[place + 1 : place + len(variables)]
        if fixed:
            self.advance(int(count) * element.size)
        elif not self._complete():
            self.jump(f"{self.at()} + {count} * {element.size}", min(element.size, 4))

    def _runs(self, indices: dict[int, str]) -> Iterator[tuple[int, list[str]]]:
        """Yield runs of neighbours that are neighbours in the output too: the first one's index, and the variables."""
        run: list[str] = []
        first = 0
        for index in sorted(indices):
            variable = indices[index]
            place = self._output.index(variable)
            follows = bool(run) and index == first + len(run) and self._output[place - 1 : place] == [run[-1]]
            if not follows and run:
                yield first, run
                run = []
            if not run:
                first = index
            # One that is asked for twice stays a number of its own.
            if self._output.count(variable) > 1:
                yield index, [variable]
                continue
            run.append(variable)
        if run:
            yield first, run

    # --- Elements that are messages or strings ------------------------------------------------------------

    def _by_index(self, element: FieldType, kind: ArrayType | SequenceType, count: str, wanted: Tree) -> None:
        done = 0
        for index in sorted(index for index in wanted if isinstance(index, int)):
            self._skip_elements(element, str(index - done), index - done)
            self._value(element, wanted[index])
            done = index + 1
        if isinstance(kind, ArrayType):
            self._skip_elements(element, str(kind.length - done), kind.length - done)
        else:
            self._skip_elements(element, f"{count} - {done}" if done else count, None)

    def _skip_elements(self, element: FieldType, count: str, number: int | None) -> None:
        if number == 0 or self._complete():
            return
        sizes = [serialized_size(element, phase) for phase in range(MAX_ALIGNMENT)]
        fixed = [size for size in sizes if size is not None]
        if len(fixed) < len(sizes):
            self.jump(self.at())
            with self.loop(count):
                self.move_to("o", 0, 1, 0)
                self._value(element)
                self.jump(self.at())
            self.move_to("o", 0, 1, 0)
            return
        if number is not None and self.modulus == MAX_ALIGNMENT:
            for _ in range(number):
                self.advance(fixed[self.residue])
            return
        # From the second element on the distance is the same, if where one begins has the alignment of the next.
        table = self.constant(tuple(fixed))
        self.jump(self.at())
        if all(fixed[(phase + size) % 8] % 8 == 0 for phase, size in enumerate(fixed)):
            with self.block(f"if (left := {count}) > 0:"):
                self.emit(f"o += {table}[o & 7]")
                self.emit(f"o += (left - 1) * {table}[o & 7]")
        else:
            with self.loop(count):
                self.emit(f"o += {table}[o & 7]")
        self.move_to("o", 0, 1, 0)

    def _by_key(self, element: FieldType, count: str, wanted: Tree) -> None:
        """Walk through all elements, and again through those whose key is the one that is looked for."""
        found = {key: self.new_name("f") for key in wanted}
        self.jump(self.at())
        for flag in found.values():
            self.emit(f"{flag} = True")
        with self.loop(count):
            begin, end = self.new_name("p"), self.new_name("e")
            self.emit(f"{begin} = o")
            self.move_to("o", 0, 1, 0)
            values = {field: self.new_name("k") for field in {key.field for key in wanted if isinstance(key, Key)}}
            tree: Tree = {}
            for field, variable in values.items():
                here = tree
                *above, last = field.split(".")
                for name in above:
                    below = here.setdefault(name, {})
                    assert isinstance(below, dict)
                    here = below
                here[last] = variable
            self._value(element, tree)
            self.flush()
            self.emit(f"{end} = {self.at()}")
            for key, chosen in wanted.items():
                assert isinstance(key, Key)
                literal = repr(key.value) if _is_text(element, key.field) else str(int(key.value, 0))
                with self.block(f"if {found[key]} and {values[key.field]} == {literal}:"):
                    self.emit(f"{found[key]} = False")
                    self.emit(f"o = {begin}")
                    self.move_to("o", 0, 1, 0)
                    self._value(element, chosen)
            self.emit(f"o = {end}")
        self.move_to("o", 0, 1, 0)
        with self.block(f"if {' or '.join(found.values())}:"):
            self.emit("raise Skipped(Reason.NO_ELEMENT)")

    def _by_joint(self, element: FieldType, count: str, wanted: dict[int, Tree | str]) -> None:
        """Read the same values of every element, and pick the elements of the joints."""
        rows = self.new_name("r")
        self.jump(self.at())
        self.emit(f"{rows} = []")
        first = wanted[0]
        columns = variables_of(first)
        with self.loop(count):
            self.move_to("o", 0, 1, 0)
            output, self._output = self._output, list(columns)
            self._value(element, first)
            columns_read, self._output = self._output, output
            if len(columns_read) < len(columns):
                raise UnreadableError  # long arrays within the element of a joint
            self.flush()
            self.emit(f"{rows}.append(({', '.join(columns)},))")
            self.jump(self.at())
        self.move_to("o", 0, 1, 0)
        self.emit(f"{rows} = pick({rows})")
        for place, below in wanted.items():
            self._unread.difference_update(variables_of(below))
            self.emit(f"{', '.join(variables_of(below))}, = {rows}[{place}]")


def _is_text(element: FieldType, field: str) -> bool:
    for name in field.split("."):
        assert isinstance(element, StructType)
        element = element.fields[name]
    return isinstance(element, Text)
