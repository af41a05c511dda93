"""Reads selected fields out of serialised messages."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rtgym_ros.contract.messages.field_path import FieldPathError
from rtgym_ros.contract.messages.joint_lookup import JointLookup
from rtgym_ros.contract.messages.layout import StructType, Text
from rtgym_ros.contract.messages.message_walk import read_message
from rtgym_ros.contract.messages.reader_source import UnreadableError, write_reader
from rtgym_ros.contract.messages.selection import NAME_FIELDS, Leaf, Selection, Whole, select
from rtgym_ros.contract.messages.skipped import Reason, SkippedMessage

Array = np.ndarray[Any, Any]
Deserialize = Callable[[bytes], Any]
"""Returns the message that the bytes are: ``rclpy.serialization.deserialize_message`` for one type."""

_ORDERS = {b"\0\1": "<", b"\0\0": ">"}
"""Byte order by the first two bytes of a message: plain CDR. Any other encoding is left to ``deserialize``."""
_MALFORMED = (struct.error, ValueError, IndexError, UnicodeDecodeError, OverflowError)


class FieldReader:
    """Reads the values of ``fields`` out of serialised messages, decoding nothing else.

    Not safe for several threads at once: the joints that were found are kept.

    Args:
        layout: of the message type.
        fields: paths, see ``docs/contract_reference``.
        names: joints whose elements the fields stand for, in any order in the message.
        prefix: goes before each of ``names``.
        deserialize: decodes a whole message, for what cannot be found in the bytes: a field behind a wide string, an
            encoding that is not plain CDR. Left out, a field behind a wide string is refused and a message of another
            encoding is malformed.
        allow_whole: a sequence of numbers without a subscript is read as one array.

    Attributes:
        selections: what each of ``fields`` selects.
        size: number of values.
        has_text: whether one of the values is a string, which :meth:`read` cannot return.
        skipped: how many messages counted as not having come, by the reason.

    Raises:
        FieldPathError: a path cannot be used with this message type.
    """

    def __init__(
        self,
        layout: StructType,
        fields: Sequence[str],
        names: Sequence[str] | None = None,
        prefix: str = "",
        deserialize: Deserialize | None = None,
        allow_whole: bool = False,
    ) -> None:
        if names is not None and not any(name in layout.fields for name in NAME_FIELDS):
            raise FieldPathError(
                f"`names` needs a message with a field `name` or `joint_names`: {layout.name} has none"
            )
        self.selections: tuple[Selection, ...] = tuple(select(layout, path, names, allow_whole) for path in fields)
        self.skipped: Counter[Reason] = Counter()
        self._leaves: list[Leaf] = [leaf for selection in self.selections for leaf in selection.leaves]
        self.size = len(self._leaves)
        self._layout = layout
        self._lookup = None if names is None else JointLookup([prefix + name for name in names])
        self._deserialize = deserialize
        self._readers: dict[bytes, Callable[[bytes], tuple[Any, ...]]] = {}
        self._has_whole = any(leaf.route[-1] is Whole.WHOLE for leaf in self._leaves)
        self.has_text = any(isinstance(leaf.kind, Text) for leaf in self._leaves)
        self._little: Callable[[bytes], tuple[Any, ...]]
        try:
            self._little = write_reader(layout, self._leaves, self._lookup, "<")
        except UnreadableError:
            if deserialize is None:
                raise FieldPathError(
                    f"field paths {', '.join(map(repr, fields))}: the bytes of {layout.name} cannot be read, "
                    "for a wide string is in front of them"
                ) from None
            self._little = self._read_whole_message

    def read(self, buffer: bytes, dtype: Any = np.float64) -> Array | None:
        """Return the values as an array of shape ``(size,)`` and ``dtype``.

        Returns:
            None where the message counts as not having come; it was counted in :attr:`skipped`.
        """
        values = self.parts(buffer)
        if values is None:
            return None
        if len(values) == self.size and not self._has_whole:
            return np.array(values, dtype)
        if len(values) == 1:
            return np.asarray(values[0]).astype(dtype)
        return np.concatenate([np.atleast_1d(np.asarray(value, dtype)) for value in values])

    def values(self, buffer: bytes) -> tuple[Any, ...] | None:
        """Return the values as Python's numbers and strings, exactly; a sequence as a whole is an array.

        Returns:
            None where the message counts as not having come; it was counted in :attr:`skipped`.
        """
        values = self.parts(buffer)
        if values is None or (len(values) == self.size and not self._has_whole):
            return values
        flat: list[Any] = []
        for value in values:
            flat.extend(value.tolist() if isinstance(value, np.ndarray) else (value,))
        return tuple(flat)

    def message_values(self, message: Any) -> tuple[Any, ...] | None:
        """Return the values of a deserialised message; see :meth:`values`."""
        try:
            return read_message(message, self._leaves, self._lookup)
        except SkippedMessage as skipped:
            self.skipped[skipped.reason] += 1
            return None

    def parts(self, buffer: bytes) -> tuple[Any, ...] | None:
        """Return the values as :meth:`values` does, but long runs and whole sequences as views of ``buffer``."""
        try:
            if buffer.startswith(b"\0\1"):
                return self._little(buffer)
            return self._reader(buffer[:2])(buffer)
        except SkippedMessage as skipped:
            self.skipped[skipped.reason] += 1
        except _MALFORMED:
            self.skipped[Reason.MALFORMED] += 1
        return None

    def _reader(self, encoding: bytes) -> Callable[[bytes], tuple[Any, ...]]:
        if encoding not in self._readers:
            order = _ORDERS.get(encoding)
            try:
                if order is None:
                    raise UnreadableError
                self._readers[encoding] = write_reader(self._layout, self._leaves, self._lookup, order)
            except UnreadableError:
                self._readers[encoding] = self._read_whole_message
        return self._readers[encoding]

    def _read_whole_message(self, buffer: bytes) -> tuple[Any, ...]:
        if self._deserialize is None:
            raise SkippedMessage(Reason.MALFORMED)
        return read_message(self._deserialize(buffer), self._leaves, self._lookup)
