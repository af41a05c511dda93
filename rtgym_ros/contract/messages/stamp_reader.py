"""The stamp of an observation, read from the serialised message."""

from __future__ import annotations

from struct import Struct

from rtgym_ros.contract.messages.field_reader import Deserialize, FieldReader
from rtgym_ros.contract.messages.layout import StructType
from rtgym_ros.contract.messages.stamp_field import HEADER_STAMP, NANOSECONDS, check_stamp, is_time, stamp_field
from rtgym_ros.contract.records.topic import Stamp

_FIRST = Struct("<HxxiI")
"""Two bytes of encoding, two of options, and a Time."""

_LITTLE_ENDIAN = 0x0100
"""Of those two bytes, 0 and 1, as a number: plain CDR, little endian."""


class StampReader:
    """Reads when a message was made.

    Args:
        layout: of the message type.
        stamp: which field says it; None: ``header.stamp`` where there is one, else there is none.
        deserialize: see :class:`FieldReader`.

    Attributes:
        has_stamp: whether messages have one; without, the time of arrival stands for it.
        wraps_ns: after how long (ns) the counter begins anew; 0: never.

    Raises:
        FieldPathError: the field cannot be a stamp.
    """

    def __init__(self, layout: StructType, stamp: Stamp | None = None, deserialize: Deserialize | None = None) -> None:
        stamp = stamp_field(layout, stamp)
        self.has_stamp = stamp is not None
        self.wraps_ns = 0
        self._is_first = False
        if stamp is None:
            return
        self._is_time = is_time(check_stamp(layout, stamp))
        self._unit = 1 if self._is_time else NANOSECONDS[stamp.unit or "ns"]
        if stamp.bits is not None:
            self.wraps_ns = self._unit << stamp.bits
        self._parts = FieldReader(layout, [stamp.field], deserialize=deserialize).parts
        self._is_first = self._is_time and stamp.field == HEADER_STAMP and _begins_with_stamp(layout)

    def read_ns(self, buffer: bytes) -> int | None:
        """Return the stamp (ns), exactly where it is a whole number.

        Returns:
            None where the message has no stamp, or a Time of 0, which is one that nobody has set.
        """
        if self._is_first and len(buffer) >= _FIRST.size:  # of most messages
            encoding, sec, nanosec = _FIRST.unpack_from(buffer)
            if encoding == _LITTLE_ENDIAN:
                return int(sec * 1_000_000_000 + nanosec) or None
        if not self.has_stamp:
            return None
        values = self._parts(buffer)
        if values is None:
            return None
        if self._is_time:
            return int(values[0] * 1_000_000_000 + values[1]) or None
        return int(values[0]) * self._unit if isinstance(values[0], int) else round(values[0] * self._unit)


def _begins_with_stamp(layout: StructType) -> bool:
    name, header = next(iter(layout.fields.items()))
    return f"{name}.stamp" == HEADER_STAMP and isinstance(header, StructType) and next(iter(header.fields)) == "stamp"
