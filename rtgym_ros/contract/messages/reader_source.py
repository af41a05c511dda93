"""Writes the Python function that reads selected values out of serialised messages of one type.

ROS 2's middlewares hand out CDR (OMG DDS-RTPS, "plain CDR"): four bytes that name the encoding, then the fields in
their order, each number aligned to its own size, counted from behind those four bytes. A string is its length with
the terminating zero, then its characters; a sequence is its length, then its elements; a message within a message is
just its fields. Where all that stands in front of a value has a fixed size, so has its position, and one
``struct.Struct`` reads all such values at once; behind strings and sequences the function computes positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from struct import Struct
from typing import Any, TypeAlias

import numpy as np

from rtgym_ros.contract.messages.field_path import Key
from rtgym_ros.contract.messages.joint_lookup import JointLookup
from rtgym_ros.contract.messages.layout import ArrayType, FieldType, Primitive, SequenceType, StructType, Text
from rtgym_ros.contract.messages.selection import NAME_FIELDS, Hop, Joint, Leaf, Whole
from rtgym_ros.contract.messages.skipped import Reason, SkippedMessage

HEADER = 4
"""Bytes in front of the fields."""
_MAX_ALIGNMENT = 8
_RUN = 16
"""From so many neighbours on a view of NumPy is faster than Python numbers."""

Tree: TypeAlias = "dict[Hop, Tree | str]"
"""The selected values by the hops that lead to them; at the end the name of the variable that holds the value."""


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


class _Writer:
    def __init__(self, layout: StructType, leaves: Sequence[Leaf], lookup: JointLookup | None, order: str) -> None:
        self._layout = layout
        self._leaves = leaves
        self._order = order
        self._lines: list[str] = []
        self._indent = 1
        self._globals: dict[str, Any] = {
            "U": Struct(f"{order}I").unpack_from,
            "frombuffer": np.frombuffer,
            "Skipped": SkippedMessage,
            "Reason": Reason,
            "unpack_from": __import__("struct").unpack_from,
        }
        if lookup is not None:
            length_of = Struct(f"{order}I")
            self._globals["locate"] = lambda buffer, position: lookup.locate(buffer, position, order, length_of)
        # The position in the body is `self._base + self._offset`; it is `_residue` modulo `_modulus`.
        self._base = ""
        self._offset = 0
        self._modulus = _MAX_ALIGNMENT
        self._residue = 0
        self._pending: list[tuple[int, Primitive, str]] = []
        self._names = 0
        self._output: list[str] = []
        # Variables that are still to be read: once there are none, what stands behind is of no interest.
        self._unread: set[str] = set()
        self._loops = 0

    def write(self) -> Any:
        tree, variables = self._tree()
        if any(isinstance(hop, Joint) for leaf in self._leaves for hop in leaf.route):
            self._read_names(tree)
        for name, field in self._layout.fields.items():
            if name not in self._done_with:
                self._value(field, tree.get(name))
        self._flush()
        self._emit(f"return ({', '.join(variables)}{',' if len(variables) == 1 else ''})")
        source = "def read(b):\n" + "\n".join(self._lines) + "\n"
        exec(compile(source, f"<reader of {self._layout.name}>", "exec"), self._globals)  # noqa: S102
        read = self._globals["read"]
        read.source = source
        return read

    # --- What is wanted -----------------------------------------------------------------------------------

    def _tree(self) -> tuple[Tree, list[str]]:
        """Return the wanted values by their routes, and the variables in order of output."""
        tree: Tree = {}
        variables: list[str] = []
        for leaf in self._leaves:
            here = tree
            for hop in leaf.route[:-1]:
                below = here.setdefault(hop, {})
                assert isinstance(below, dict)
                here = below
            variable = here.setdefault(leaf.route[-1], f"v{len(variables)}")
            assert isinstance(variable, str)
            variables.append(variable)
        self._output = variables
        self._unread = set(variables)
        return tree, variables

    def _read_names(self, tree: Tree) -> None:
        """Look up the joints: in front of everything else, since their places are needed to read the rest."""
        field = next((name for name in NAME_FIELDS if name in self._layout.fields), None)
        if field is None:
            raise UnreadableError
        before = list(self._layout.fields)[: list(self._layout.fields).index(field)]
        for name in before:
            self._value(self._layout.fields[name])
        self._align(4)
        self._emit(f"pick, last, o = locate(b, {self._at(HEADER)})")
        if any(name in tree for name in [*before, field]):
            self._move_to("", 0, _MAX_ALIGNMENT, 0)
        else:
            self._emit(f"o -= {HEADER}")
            self._move_to("o", 0, 1, 0)
            self._done_with = [*before, field]

    _done_with: Sequence[str] = ()

    # --- Positions ----------------------------------------------------------------------------------------

    def _at(self, more: int = 0) -> str:
        offset = self._offset + more
        return f"{self._base} + {offset}" if self._base and offset else self._base or str(offset)

    def _move_to(self, base: str, offset: int, modulus: int, residue: int) -> None:
        self._base, self._offset, self._modulus, self._residue = base, offset, modulus, residue

    def _align(self, size: int) -> None:
        if self._modulus % size == 0:
            self._advance(-self._residue % size)
        else:
            self._flush()
            self._emit(f"o = {self._at(size - 1)} & {-size}")
            self._move_to("o", 0, size, 0)

    def _advance(self, size: int) -> None:
        self._offset += size
        self._residue = (self._residue + size) % self._modulus

    def _jump(self, expression: str, modulus: int = 1) -> None:
        """Continue at a position that only the message tells."""
        self._flush()
        self._emit(f"o = {expression}")
        self._move_to("o", 0, modulus, 0)

    def _emit(self, line: str) -> None:
        self._lines.append("    " * self._indent + line)

    @contextmanager
    def _block(self, head: str) -> Iterator[None]:
        self._flush()
        self._emit(head)
        self._indent += 1
        start = len(self._lines)
        yield
        self._flush()
        if len(self._lines) == start:
            self._emit("pass")
        self._indent -= 1

    @contextmanager
    def _loop(self, count: str) -> Iterator[None]:
        """Do something for each element: to its end, for another one may follow."""
        self._loops += 1
        with self._block(f"for _ in range({count}):"):
            yield
        self._loops -= 1

    def _name(self, kind: str) -> str:
        self._names += 1
        return f"{kind}{self._names}"

    def _flush(self) -> None:
        """Read what is pending with as few calls as can be: all of it stands at known distances from one position."""
        if not self._pending:
            return
        reads, self._pending = sorted(self._pending, key=lambda read: read[0]), []
        first = end = reads[0][0]
        code, variables = self._order, []
        for offset, primitive, variable in reads:
            code += f"{offset - end}x" * (offset > end) + primitive.code
            end = offset + primitive.size
            variables.append(variable)
        unpack = self._name("S")
        self._globals[unpack] = Struct(code).unpack_from
        base = f"{self._base} + " if self._base else ""
        self._emit(f"{', '.join(variables)}{',' * (len(variables) == 1)} = {unpack}(b, {base}{first + HEADER})")

    # --- The fields ---------------------------------------------------------------------------------------

    def _complete(self) -> bool:
        """Whether nothing that stands further behind is of interest."""
        return not self._unread and not self._loops

    def _value(self, kind: FieldType, wanted: Tree | str | None = None) -> None:
        """Go through a value: past it, or reading what is wanted of it."""
        if self._complete():
            return
        if isinstance(wanted, str):
            self._unread.discard(wanted)
        match kind:
            case Primitive():
                self._align(kind.size)
                if isinstance(wanted, str):
                    self._pending.append((self._offset, kind, wanted))
                self._advance(kind.size)
            case Text():
                self._text(kind, wanted)
            case StructType():
                below = wanted if isinstance(wanted, dict) else {}
                for name, field in kind.fields.items():
                    self._value(field, below.get(name))
                if not kind.fields:
                    self._advance(1)  # C has no empty structures, so the generators put a byte into them
            case ArrayType() | SequenceType():
                self._array(kind, wanted if isinstance(wanted, dict) else {})

    def _text(self, kind: Text, wanted: Tree | str | None) -> None:
        if kind.wide:
            raise UnreadableError  # middlewares do not agree on how wide a wide character is
        self._align(4)
        if isinstance(wanted, str):
            start = self._at(HEADER + 4)
            self._emit(f"{wanted} = b[{start} : {start} + U(b, {self._at(HEADER)})[0] - 1].decode()")
        if not self._complete():
            self._jump(f"{self._at(4)} + U(b, {self._at(HEADER)})[0]")

    def _array(self, kind: ArrayType | SequenceType, wanted: Tree) -> None:
        count = str(kind.length) if isinstance(kind, ArrayType) else self._name("n")
        if isinstance(kind, SequenceType):
            self._align(4)
            self._flush()
            self._emit(f"{count} = U(b, {self._at(HEADER)})[0]")
            self._advance(4)
        self._require(kind, count, wanted)
        element = kind.element
        if isinstance(element, Primitive):
            self._numbers(element, count, wanted)
            return
        indices = {hop: below for hop, below in wanted.items() if isinstance(hop, int)}
        keys = {hop: below for hop, below in wanted.items() if isinstance(hop, Key)}
        joints = {hop.place: below for hop, below in wanted.items() if isinstance(hop, Joint)}
        if isinstance(kind, SequenceType):
            self._flush()
            with self._block(f"if {count} > len(b):"):  # each element takes a byte at least
                self._emit("raise Skipped(Reason.MALFORMED)")
        passes = [indices] * bool(indices) + [keys] * bool(keys) + [joints] * bool(joints)
        start = self._name("p")
        if len(passes) > 1:
            self._flush()
            self._emit(f"{start} = {self._at()}")
        begin = (self._modulus, self._residue)
        for number, elements in enumerate(passes or [indices]):
            if number:
                self._flush()
                self._emit(f"o = {start}")
                self._move_to("o", 0, *begin)
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
            with self._block(f"if {count} <= {bound}:"):
                self._emit("raise Skipped(Reason.TOO_SHORT)")

    def _numbers(self, element: Primitive, count: str, wanted: Tree) -> None:
        fixed = count.isdigit()
        self._unread.difference_update(_variables(wanted))
        if not wanted:
            if fixed:
                if int(count):
                    self._align(element.size)
                self._advance(int(count) * element.size)
            elif element.size > 4:  # an empty sequence is not padded to its first element
                self._jump(self._at())
                with self._block(f"if {count}:"):
                    self._emit(f"o = (o + 7 & -8) + {count} * 8")
                self._move_to("o", 0, 4, 0)
            else:
                self._jump(f"{self._at()} + {count} * {element.size}", element.size)
            return
        dtype = np.dtype(f"{self._order}{element.dtype}" if element.size > 1 else element.dtype)
        if Whole.WHOLE in wanted and not fixed:
            self._jump(self._at())
            if element.size > 4:
                with self._block(f"if {count}:"):
                    self._emit("o = o + 7 & -8")
        else:
            self._align(element.size)
        start = self._at(HEADER)
        if isinstance(variable := wanted.get(Whole.WHOLE), str):
            self._flush()
            self._emit(f"{variable} = frombuffer(b, {self._constant(dtype)}, {count}, {start})")
        joints = {hop.place: variable for hop, variable in wanted.items() if isinstance(hop, Joint)}
        if joints:
            self._flush()
            picked = self._name("t")
            self._emit(f"{picked} = pick(unpack_from(f'{self._order}{{{count}}}{element.code}', b, {start}))")
            self._emit(f"{', '.join(f'{v}' for _, v in sorted(joints.items()))}, = {picked}")
        indices = {hop: str(variable) for hop, variable in wanted.items() if isinstance(hop, int)}
        for first, variables in self._runs(indices):
            if len(variables) < _RUN:
                for place, variable in enumerate(variables):
                    self._pending.append((self._offset + (first + place) * element.size, element, variable))
                continue
            self._flush()
            self._emit(
                f"{variables[0]} = frombuffer(b, {self._constant(dtype)}, {len(variables)}, "
                f"{self._at(HEADER + first * element.size)})"
            )
            place = self._output.index(variables[0])
            del self._output[place + 1 : place + len(variables)]
        if fixed:
            self._advance(int(count) * element.size)
        elif not self._complete():
            self._jump(f"{self._at()} + {count} * {element.size}", min(element.size, 4))

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

    def _constant(self, value: object) -> str:
        name = self._name("D")
        self._globals[name] = value
        return name

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
        sizes = [_size(element, phase) for phase in range(_MAX_ALIGNMENT)]
        fixed = [size for size in sizes if size is not None]
        if len(fixed) < len(sizes):
            self._jump(self._at())
            with self._loop(count):
                self._move_to("o", 0, 1, 0)
                self._value(element)
                self._jump(self._at())
            self._move_to("o", 0, 1, 0)
            return
        if number is not None and self._modulus == _MAX_ALIGNMENT:
            for _ in range(number):
                self._advance(fixed[self._residue])
            return
        # From the second element on the distance is the same, if where one begins has the alignment of the next.
        table = self._constant(tuple(fixed))
        self._jump(self._at())
        if all(fixed[(phase + size) % 8] % 8 == 0 for phase, size in enumerate(fixed)):
            with self._block(f"if (left := {count}) > 0:"):
                self._emit(f"o += {table}[o & 7]")
                self._emit(f"o += (left - 1) * {table}[o & 7]")
        else:
            with self._loop(count):
                self._emit(f"o += {table}[o & 7]")
        self._move_to("o", 0, 1, 0)

    def _by_key(self, element: FieldType, count: str, wanted: Tree) -> None:
        """Walk through all elements, and again through those whose key is the one that is looked for."""
        found = {key: self._name("f") for key in wanted}
        self._jump(self._at())
        for flag in found.values():
            self._emit(f"{flag} = True")
        with self._loop(count):
            begin, end = self._name("p"), self._name("e")
            self._emit(f"{begin} = o")
            self._move_to("o", 0, 1, 0)
            values = {field: self._name("k") for field in {key.field for key in wanted if isinstance(key, Key)}}
            tree: Tree = {}
            for field, variable in values.items():
                here = tree
                *above, last = field.split(".")
                for name in above:
                    here = here.setdefault(name, {})  # type: ignore[assignment]
                here[last] = variable
            self._value(element, tree)
            self._flush()
            self._emit(f"{end} = {self._at()}")
            for key, below in wanted.items():
                assert isinstance(key, Key)
                literal = repr(key.value) if _is_text(element, key.field) else str(int(key.value, 0))
                with self._block(f"if {found[key]} and {values[key.field]} == {literal}:"):
                    self._emit(f"{found[key]} = False")
                    self._emit(f"o = {begin}")
                    self._move_to("o", 0, 1, 0)
                    self._value(element, below)
            self._emit(f"o = {end}")
        self._move_to("o", 0, 1, 0)
        with self._block(f"if {' or '.join(found.values())}:"):
            self._emit("raise Skipped(Reason.NO_ELEMENT)")

    def _by_joint(self, element: FieldType, count: str, wanted: dict[int, Tree | str]) -> None:
        """Read the same values of every element, and pick the elements of the joints."""
        rows = self._name("r")
        self._jump(self._at())
        self._emit(f"{rows} = []")
        first = wanted[0]
        columns = _variables(first)
        with self._loop(count):
            self._move_to("o", 0, 1, 0)
            output, self._output = self._output, list(columns)
            self._value(element, first)
            columns_read, self._output = self._output, output
            if len(columns_read) < len(columns):
                raise UnreadableError  # long arrays within the element of a joint
            self._flush()
            self._emit(f"{rows}.append(({', '.join(columns)},))")
            self._jump(self._at())
        self._move_to("o", 0, 1, 0)
        self._emit(f"{rows} = pick({rows})")
        for place, below in wanted.items():
            self._unread.difference_update(_variables(below))
            self._emit(f"{', '.join(_variables(below))}, = {rows}[{place}]")


def _variables(wanted: Tree | str) -> list[str]:
    if isinstance(wanted, str):
        return [wanted]
    return [variable for below in wanted.values() for variable in _variables(below)]


def _is_text(element: FieldType, field: str) -> bool:
    for name in field.split("."):
        assert isinstance(element, StructType)
        element = element.fields[name]
    return isinstance(element, Text)


def _size(kind: FieldType, phase: int) -> int | None:
    """Return the bytes that a value takes which begins at ``phase`` modulo 8, padding in front included; None if it varies."""
    match kind:
        case Primitive(size=size):
            return -phase % size + size
        case StructType(fields=fields):
            kinds = list(fields.values()) or [Primitive("octet", "B", 1)]
        case ArrayType(element=element, length=length):
            kinds = [element] * length
        case _:
            return None
    total = 0
    for each in kinds:
        size = _size(each, (phase + total) % _MAX_ALIGNMENT)
        if size is None:
            return None
        total += size
    return total
