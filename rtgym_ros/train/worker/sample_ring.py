"""The ring of samples between the control process, which writes and never waits, and the link process, which reads.

There is no lock. The writer moves ``oldest`` forward before it overwrites a record, and ``written`` after it has
written one. The reader copies, then looks at ``oldest`` again: what lies below may be torn, and is thrown away
(the idea of a seqlock, as in the Linux kernel). Each may die at any instant; the counters are always true.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rtgym_ros.core.memory_fence import fence
from rtgym_ros.train.protocol.schema import SampleSchema
from rtgym_ros.train.worker.ring_file import (
    CLOSED,
    OLDEST,
    PAIR,
    PAIRS,
    REFUSED,
    WEIGHTS_PUTS,
    WEIGHTS_SIZES,
    WEIGHTS_VERSION,
    WRITTEN,
    RingFile,
)

_BIG = 4096
"""Values of so many bytes are copied as bytes: NumPy goes element by element where a record is not aligned."""

_FORMATS = {"|b1": "?", "|u1": "B", "|i1": "b", "<i4": "i", "<u4": "I", "<i8": "q", "<u8": "Q", "<f4": "f", "<f8": "d"}


class RingWriter:
    """The control process's end.

    Args:
        file: it is closed by :meth:`close`.
    """

    def __init__(self, file: RingFile) -> None:
        self._file = file
        self._words = file.words
        self._capacity = file.description.capacity
        self._written = self._words[WRITTEN]
        self._memory, self._begin = file.memory, file.records_at
        self._record_bytes = file.records.dtype.itemsize
        self._scalars, self._first_array = _leading_scalars(file.description.schema)
        self._closed = False
        self._stores = [_make_store(file, name) for name, _, _ in file.description.schema.fields[self._first_array :]]

    @property
    def boot(self) -> str:
        """Return the name of this boot."""
        return self._file.description.boot

    @property
    def weights_version(self) -> int:
        """Of the newest weights that the link process has put; -1 for none."""
        return self._words[WEIGHTS_VERSION]

    def read_weights(self) -> bytes | None:
        """Return the newest weights, a policy file; None where newer ones came meanwhile: look again later."""
        puts = self._words[WEIGHTS_PUTS]
        fence()
        place = puts % 2
        data = self._file.read_weights(place, self._words[WEIGHTS_SIZES + place])
        fence()
        return data if self._words[WEIGHTS_PUTS] == puts else None

    @property
    def written(self) -> int:
        """How many samples were written."""
        return self._written

    def refuse(self) -> None:
        """Count a sample that is not written because it is not finite."""
        self._words[REFUSED] += 1

    def append(self, values: Sequence[Any]) -> None:
        """Write a sample over the oldest one. It never waits.

        Args:
            values: one for each field of the schema, in its order.
        """
        written = self._written
        slot = written % self._capacity
        if written >= self._capacity:
            self._words[OLDEST] = written - self._capacity + 1
            fence()
        first = self._first_array
        self._scalars.pack_into(self._memory, self._begin + slot * self._record_bytes, *values[:first])
        for store, value in zip(self._stores, values[first:], strict=True):
            store(slot, value)
        fence()
        self._written = self._words[WRITTEN] = written + 1

    def close(self) -> None:
        """Say that nothing more will come, and let go of the file; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        fence()
        self._words[CLOSED] = 1
        self._stores = []  # they hold arrays on the memory
        self._file.close()


class RingReader:
    """The link process's end.

    Args:
        file: it is closed by :meth:`close`.
    """

    def __init__(self, file: RingFile) -> None:
        self._file = file
        self._words = file.words
        self._capacity = file.description.capacity

    @property
    def boot(self) -> str:
        """Of the control process that writes it."""
        return self._file.description.boot

    @property
    def schema(self) -> SampleSchema:
        """Return the schema of its samples."""
        return self._file.description.schema

    @property
    def written(self) -> int:
        """How many samples were ever written."""
        return self._words[WRITTEN]

    @property
    def acknowledged(self) -> int:
        """Return the number of the first sample that is not acknowledged."""
        return self._words[PAIRS + 2 * self._words[PAIR]]

    @property
    def dropped(self) -> int:
        """How many samples were overwritten before they were acknowledged."""
        return self.dropped_before(self._words[OLDEST])

    def dropped_before(self, seq: int) -> int:
        """Return how many are given up where ``seq`` is the first one that can still be acknowledged."""
        acknowledged, dropped = self._pair()
        return dropped + max(seq - acknowledged, 0) + self._file.description.given_up

    @property
    def refused(self) -> int:
        """How many samples were not finite, and were not written."""
        return self._words[REFUSED]

    @property
    def unread(self) -> int:
        """How many samples are there to be read."""
        return self.written - max(self.acknowledged, self._words[OLDEST])

    def is_over(self) -> bool:
        """Whether nothing more will come: the writer has closed the ring, or it is gone."""
        return self._words[CLOSED] == 1 or not self._file.is_locked()

    def read(self, max_samples: int) -> tuple[int, np.ndarray]:
        """Return the number of the first sample that is not acknowledged, and a copy of it and those behind it.

        Returns:
            That number, and records, shape (n,) with n <= ``max_samples``; none where there is nothing new.
        """
        end = self._words[WRITTEN]
        fence()
        first = max(self.acknowledged, self._words[OLDEST])
        end = max(min(end, first + max_samples), first)
        records = np.empty(end - first, self._file.records.dtype)
        begin_slot = first % self._capacity
        until_wrap = min(len(records), self._capacity - begin_slot)
        records[:until_wrap] = self._file.records[begin_slot : begin_slot + until_wrap]
        records[until_wrap:] = self._file.records[: len(records) - until_wrap]
        fence()
        torn = min(max(self._words[OLDEST] - first, 0), len(records))
        return first + torn, records[torn:]

    def acknowledge(self, next_seq: int, first_seq: int | None = None) -> None:
        """Never hand out again what is below ``next_seq``.

        Args:
            next_seq: the first sample that is still needed; going back does nothing.
            first_seq: the first one that was not given up; those from the acknowledged position up to it are counted
                as dropped. None where none was.
        """
        acknowledged, dropped = self._pair()
        next_seq = min(next_seq, self.written)
        if next_seq <= acknowledged:
            return
        if first_seq is not None:
            dropped += max(min(first_seq, next_seq) - acknowledged, 0)
        other = 1 - self._words[PAIR]
        self._words[PAIRS + 2 * other], self._words[PAIRS + 2 * other + 1] = next_seq, dropped
        fence()
        self._words[PAIR] = other

    def put_weights(self, version: int, data: bytes) -> None:
        """Hand weights, a policy file, to the control process; errors as in :meth:`RingFile.write_weights`.

        They go where the ones before last were, which nobody reads any more, unless it takes longer than from one
        version to the next; then the reader sees that another put has happened, and reads again.
        """
        puts = self._words[WEIGHTS_PUTS] + 1
        self._file.write_weights(puts % 2, data)
        self._words[WEIGHTS_SIZES + puts % 2] = len(data)
        fence()
        self._words[WEIGHTS_PUTS] = puts
        fence()
        self._words[WEIGHTS_VERSION] = version

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _pair(self) -> tuple[int, int]:
        at = PAIRS + 2 * self._words[PAIR]
        return self._words[at], self._words[at + 1]


def _leading_scalars(schema: SampleSchema) -> tuple[struct.Struct, int]:
    """Return how to pack the scalars that a record begins with, in one go, and how many they are."""
    formats = ""
    for _, dtype, shape in schema.fields:
        if shape or dtype not in _FORMATS:
            break
        formats += _FORMATS[dtype]
    return struct.Struct(f"<{formats}"), len(formats)


def _make_store(file: RingFile, name: str) -> Callable[[int, Any], None]:
    """Return a function that writes one field of a record, by its slot."""
    column = file.records[name]
    dtype, offset = file.records.dtype.fields[name][:2]  # type: ignore[index]  # it is a structured type
    if dtype.itemsize < _BIG or dtype.subdtype is None:
        return column.__setitem__
    memory, base, stride, size = file.memory, file.records_at + offset, file.records.dtype.itemsize, dtype.itemsize
    element, shape = dtype.subdtype

    def store(slot: int, value: Any) -> None:
        array = np.ascontiguousarray(value, element)
        if array.shape != shape:
            raise ValueError(f"{name} must have the shape {shape}, got {array.shape}")
        at = base + slot * stride
        memory[at : at + size] = array.reshape(-1).view(np.uint8).data

    return store
