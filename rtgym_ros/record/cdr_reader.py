"""The bytes of ``rtgym_ros/msg/TimeStep`` (CDR) as a recorded time-step, bit for bit what was written."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.time_step import Parts, RecordedTimeStep

_NS = 1_000_000_000
_SIZES = (4, 8, 8, 1)  # of the elements of the four sequences of a NamedArray


def decode(data: bytes) -> RecordedTimeStep:
    """Return the time-step that was serialised.

    Raises:
        RecordError: these are not the bytes of one.
    """
    if data[:2] != b"\x00\x01":
        raise RecordError(f"not CDR, little endian: the message begins with {data[:4].hex() or 'nothing'}")
    try:
        return _Cursor(data[4:]).time_step()
    except (struct.error, ValueError, TypeError) as error:
        raise RecordError(f"not a {RecordedTimeStep.__name__}: {error}") from error


def decode_answer(data: bytes) -> tuple[int, int, Parts]:
    """Return index and stamp (ns) of the time-step that an ``rtgym_ros/msg/AgentAction`` answers, and the action.

    Raises:
        RecordError: these are not the bytes of one, or a part contradicts itself.
    """
    if data[:2] != b"\x00\x01":
        raise RecordError(f"not CDR, little endian: the message begins with {data[:4].hex() or 'nothing'}")
    try:
        return _Cursor(data[4:]).answer()
    except (struct.error, ValueError, TypeError) as error:
        raise RecordError(f"not an answer: {error}") from error


class _Cursor:
    """A place in the bytes; each call reads one thing and moves on."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def time_step(self) -> RecordedTimeStep:
        stamp_ns = self._time()
        self._text()  # frame_id
        return RecordedTimeStep(
            stamp_ns, self._one("Q", 8), self._one("Q", 8), self._one("Q", 8),
            self._parts(), self._parts(), self._parts(), self._parts(),
            self._one("d", 8), self._one("?", 1), self._one("?", 1),
            self._time(), self._time(), self._one("?", 1), self._one("?", 1),
            self._values(), self._values(), self._values(),
        )  # fmt: skip

    def answer(self) -> tuple[int, int, Parts]:
        self._time()
        self._text()  # frame_id
        return self._one("Q", 8), self._time(), self._parts()

    def _align(self, size: int) -> None:
        self._at += -self._at % size

    def _one(self, code: str, size: int) -> Any:
        self._align(size)
        (value,) = struct.unpack_from("<" + code, self._data, self._at)
        self._at += size
        return value

    def _time(self) -> int:
        seconds: int = self._one("i", 4)
        return seconds * _NS + int(self._one("I", 4))

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise ValueError(f"it ends {size - len(taken)} bytes early")
        self._at += size
        return taken

    def _text(self) -> str:
        return self._take(self._one("I", 4))[:-1].decode()

    def _parts(self) -> Parts:
        return tuple(self._part() for _ in range(self._one("I", 4)))

    def _part(self) -> tuple[str, np.ndarray[Any, Any]]:
        name, dtype = self._text(), np.dtype(self._text())
        shape = tuple(self._one("I", 4) for _ in range(self._one("I", 4)))
        found = b""
        for size in _SIZES:
            count = self._one("I", 4)
            if count:
                self._align(size)
                found = self._take(count * size)
        array = np.frombuffer(bytearray(found), dtype)  # writable, as what was recorded
        return name, array.reshape(shape)

    def _values(self) -> dict[str, float]:
        return {self._text(): self._one("d", 8) for _ in range(self._one("I", 4))}
