"""Python code that goes through serialised bytes: its lines, and where in the bytes they have come to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from struct import Struct
from typing import Any

from rtgym_ros.contract.messages.layout import Primitive

HEADER = 4
"""Bytes in front of the fields, which name the encoding; positions are counted from behind them."""
MAX_ALIGNMENT = 8


class CodeCursor:
    """The lines of a function, and the position up to which they have read.

    The position is ``base + offset``: ``base`` is the variable ``o``, or nothing while the distance from the beginning
    is the same in every message.

    Args:
        order: byte order, ``"<"`` or ``">"``.

    Attributes:
        lines: of the function's body, so far.
        globals: what the lines use.
        pending: numbers that are still to be read, as (offset, type, variable): all those at known distances from one
            base are read by one call.
        modulus: the position's residue modulo this is known.
        residue: the residue.
        loops: how many loops the lines are in.
    """

    def __init__(self, order: str) -> None:
        self.order = order
        self.lines: list[str] = []
        self.globals: dict[str, Any] = {"U": Struct(f"{order}I").unpack_from}
        self.pending: list[tuple[int, Primitive, str]] = []
        self.modulus = MAX_ALIGNMENT
        self.residue = 0
        self.offset = 0
        self.loops = 0
        self._base = ""
        self._indent = 1
        self._names = 0

    def at(self, more: int = 0) -> str:
        """Return the position, plus ``more``, as an expression."""
        offset = self.offset + more
        return f"{self._base} + {offset}" if self._base and offset else self._base or str(offset)

    def move_to(self, base: str, offset: int, modulus: int, residue: int) -> None:
        """Set where the position is known to be; nothing may be pending."""
        self._base, self.offset, self.modulus, self.residue = base, offset, modulus, residue

    def align(self, size: int) -> None:
        """Skip the padding in front of a number of ``size`` bytes."""
        if self.modulus % size == 0:
            self.advance(-self.residue % size)
        else:
            self.flush()
            self.emit(f"o = {self.at(size - 1)} & {-size}")
            self.move_to("o", 0, size, 0)

    def advance(self, size: int) -> None:
        """Skip ``size`` bytes."""
        self.offset += size
        self.residue = (self.residue + size) % self.modulus

    def jump(self, expression: str, modulus: int = 1) -> None:
        """Continue at a position that only the message tells."""
        self.flush()
        self.emit(f"o = {expression}")
        self.move_to("o", 0, modulus, 0)

    def emit(self, line: str) -> None:
        """Append a line."""
        self.lines.append("    " * self._indent + line)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Indent the lines that are emitted within."""
        self.flush()
        self.emit(head)
        self._indent += 1
        start = len(self.lines)
        yield
        self.flush()
        if len(self.lines) == start:
            self.emit("pass")
        self._indent -= 1

    @contextmanager
    def loop(self, count: str) -> Iterator[None]:
        """Do something for each element: to its end, for another one may follow."""
        self.loops += 1
        with self.block(f"for _ in range({count}):"):
            yield
        self.loops -= 1

    def new_name(self, kind: str) -> str:
        """Return the name of a variable that is not used yet."""
        self._names += 1
        return f"{kind}{self._names}"

    def flush(self) -> None:
        """Read what is pending with as few calls as can be: all of it stands at known distances from one position."""
        if not self.pending:
            return
        reads, self.pending = sorted(self.pending, key=lambda read: read[0]), []
        first = end = reads[0][0]
        code, variables = self.order, []
        for offset, primitive, variable in reads:
            code += f"{offset - end}x" * (offset > end) + primitive.code
            end = offset + primitive.size
            variables.append(variable)
        unpack = self.new_name("S")
        self.globals[unpack] = Struct(code).unpack_from
        base = f"{self._base} + " if self._base else ""
        self.emit(f"{', '.join(variables)}{',' * (len(variables) == 1)} = {unpack}(b, {base}{first + HEADER})")

    def constant(self, value: object) -> str:
        """Return a name under which the lines find ``value``."""
        name = self.new_name("D")
        self.globals[name] = value
        return name
