"""A ring of entries in shared memory between one thread that puts and never waits, and one process that takes.

Each end moves a counter of its own, after it is done with the bytes: whichever end is killed, the other sees whole
entries alone. There is no lock. (:mod:`rtgym_ros.train.worker.sample_ring` is the other ring of this package: records
of one size, of which the newest are kept; here an entry is as long as it has to be, and one without room is refused.)
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from rtgym_ros.core.memory_fence import fence

WORDS = 24
"""8-byte words of a ring's counters; three cache lines."""
_PUT, _BASE, _TAKEN = 0, 1, 8  # those of one end in one cache line

_HEAD = struct.Struct("<QII")  # ticket, kind, bytes that follow
OVERHEAD = _HEAD.size
"""Bytes of an entry beside its contents."""


class Entry(NamedTuple):
    """What was put.

    Attributes:
        ticket: number that tells the order of entries in several rings.
        kind: what it is.
        data: its bytes.
    """

    ticket: int
    kind: int
    data: bytes


class _Memory:
    """Bytes of the ring by their positions, which only grow: position ``base`` stands at its beginning."""

    def __init__(self, words: memoryview, memory: memoryview) -> None:
        self.words = words
        self.capacity = len(memory)
        self._memory = memory

    def write(self, place: int, data: bytes | bytearray) -> int:
        """Write at an offset from ``base``; return the offset behind it."""
        at, size = place % self.capacity, len(data)
        if at + size <= self.capacity:
            self._memory[at : at + size] = data
        else:
            part = self.capacity - at
            self._memory[at:] = data[:part]
            self._memory[: size - part] = data[part:]
        return place + size

    def read(self, place: int, size: int) -> bytes:
        """Return a copy of what stands at an offset from ``base``."""
        at = place % self.capacity
        if at + size <= self.capacity:
            return bytes(self._memory[at : at + size])
        return bytes(self._memory[at:]) + bytes(self._memory[: at + size - self.capacity])


class RingPutter:
    """The end that puts; for one thread at a time.

    Args:
        words: :data:`WORDS` counters, zero at first.
        memory: of the entries.
    """

    def __init__(self, words: memoryview, memory: memoryview) -> None:
        self._memory = _Memory(words, memory)
        self._words = words
        self._put = self._base = 0

    def has_room(self, size: int) -> bool:
        """Whether an entry of so many bytes would be taken in."""
        return self._put - self._words[_TAKEN] + OVERHEAD + size <= self._memory.capacity

    def put(self, ticket: int, kind: int, *parts: bytes | bytearray) -> None:
        """Add an entry, its contents in one part or several; :meth:`has_room` must have said that there is room."""
        if self._words[_TAKEN] == self._put:
            # Nothing is in it: it begins anew, so that the memory that is used is as large as what waits.
            fence()
            self._words[_BASE] = self._base = self._put
        at = self._memory.write(self._put - self._base, _HEAD.pack(ticket, kind, sum(map(len, parts))))
        for part in parts:
            at = self._memory.write(at, part)
        fence()
        self._put = self._words[_PUT] = self._base + at


class RingTaker:
    """The end that takes.

    Args:
        words: :data:`WORDS` counters.
        memory: of the entries.
    """

    def __init__(self, words: memoryview, memory: memoryview) -> None:
        self._memory = _Memory(words, memory)
        self._words = words
        self._taken = words[_TAKEN]

    def next_ticket(self) -> int | None:
        """Return the ticket of the oldest entry, None where there is none."""
        if self._words[_PUT] == self._taken:
            return None
        fence()
        ticket: int = _HEAD.unpack(self._memory.read(self._taken - self._words[_BASE], _HEAD.size))[0]
        return ticket

    def take(self) -> Entry:
        """Return a copy of the oldest entry, and give its place back; :meth:`next_ticket` must have found one."""
        at = self._taken - self._words[_BASE]
        ticket, kind, size = _HEAD.unpack(self._memory.read(at, _HEAD.size))
        data = self._memory.read(at + _HEAD.size, size)
        fence()
        self._taken += _HEAD.size + size
        self._words[_TAKEN] = self._taken
        return Entry(ticket, kind, data)
