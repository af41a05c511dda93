"""The memory-mapped file behind a sample ring: what stands where.

A header of whole pages, then ``capacity`` records of the schema's dtype, then, on a page of its own, room for two
versions of the weights, which takes no memory until they come. The header: magic and the length of the description;
the counters, 8 bytes each and aligned, those of the writer and those of the reader in cache lines of their own; the
description in MessagePack. Everything is little endian.
"""

from __future__ import annotations

import mmap
import os
import struct
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock
from pathlib import Path

import msgspec
import numpy as np
from typing_extensions import Self

from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.protocol.schema import SampleSchema
from rtgym_ros.train.stream.names import Name

_MAGIC = b"rtgymrn4"  # with the version of the layout
_START = struct.Struct("<8sQ")
_DESCRIPTION_AT = 512

WEIGHTS_ROOM = 64 * 1024 * 1024  # bytes that one version of the weights may take


class Word:
    """Indices of the 8-byte words of the header."""

    # The writer's:
    WRITTEN = 16  # records ever written
    OLDEST = 17  # number of the oldest one that is not being overwritten
    CLOSED = 18  # 1 when nothing more will come
    REFUSED = 19  # samples that were not finite, and so were not written
    # The reader's. Two pairs of (acknowledged, dropped), and which of them counts: both change at once, or not at all.
    PAIR = 24
    PAIRS = 25
    WEIGHTS_VERSION = 32  # of the newest weights; -1 for none
    WEIGHTS_PUTS = 33  # how often weights were put; they are in the place of that number modulo 2
    WEIGHTS_SIZES = 34  # of the weights in each of the two places (bytes)


class RingDescription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a ring holds.

    Attributes:
        boot: name of the boot of the control process that writes it.
        capacity: in records.
        schema: of a record.
        place: of the link to the file in the worker's folder: a file that it does not lead to is nobody's.
        given_up: samples in rings of earlier boots that had to go for this one.
    """

    boot: Name
    capacity: int
    schema: SampleSchema
    place: str = ""
    given_up: int = 0


class RingFile:
    """An open ring file, what both ends have in common: :class:`RingWriter` makes one, :class:`RingReader` opens it.

    Attributes:
        description: what it holds; ``boot``, ``capacity`` and ``schema`` are taken from it.
        words: the counters, as Python integers.
        records: shape (capacity,), the schema's dtype, on the mapped memory.
        weights: the two places for weights, mapped.
    """

    def __init__(self, fd: int, populate: bool = False) -> None:
        self._fd = fd
        flags = mmap.MAP_SHARED | (mmap.MAP_POPULATE if populate else 0)
        try:
            self._weights_at = os.fstat(fd).st_size - 2 * WEIGHTS_ROOM
            self._map = mmap.mmap(fd, max(self._weights_at, 0), flags)
        except ValueError as error:  # it is empty
            raise ProtocolError(f"not a sample ring: {error}") from error
        self.description, records_at = _read_description(self._map)
        self.boot, self.capacity = self.description.boot, self.description.capacity
        self.schema = self.description.schema
        self.weights = mmap.mmap(fd, 2 * WEIGHTS_ROOM, mmap.MAP_SHARED, offset=self._weights_at)
        self.words = memoryview(self._map)[:_DESCRIPTION_AT].cast("q")
        if len(self._map) < records_at + self.capacity * self.schema.dtype.itemsize:
            raise ProtocolError("a sample ring that is cut off")
        self.records = np.ndarray(self.capacity, self.schema.dtype, self._map, records_at)

    @classmethod
    def create(cls, fd: int, description: RingDescription) -> Self:
        """Fill an empty file, lock it for as long as it is open in this process, and open it.

        Raises:
            OSError: there is no room for it.
        """
        flock(fd, LOCK_EX | LOCK_NB)
        encoded = msgspec.msgpack.encode(description)
        # Room is reserved here: writing to mapped memory without room behind it would kill the process (SIGBUS).
        records_at = _in_pages(_DESCRIPTION_AT + len(encoded))
        size = _in_pages(records_at + description.capacity * description.schema.dtype.itemsize)
        os.posix_fallocate(fd, 0, size)
        os.ftruncate(fd, size + 2 * WEIGHTS_ROOM)
        os.pwrite(fd, encoded, _DESCRIPTION_AT)
        os.pwrite(fd, struct.pack("<q", -1), 8 * Word.WEIGHTS_VERSION)
        os.pwrite(fd, _START.pack(_MAGIC, len(encoded)), 0)
        return cls(fd, populate=True)  # the first lap shall not be slower than the others

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file of another process.

        Raises:
            OSError: there is none.
            ProtocolError: it is no sample ring, or of another layout.
        """
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            return cls(fd)
        except BaseException:
            os.close(fd)
            raise

    def is_locked(self) -> bool:
        """Whether the process that made the file still has it open; for others to ask."""
        try:
            flock(self._fd, LOCK_SH | LOCK_NB)
        except BlockingIOError:
            return True
        flock(self._fd, LOCK_UN)
        return False

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        if self._fd < 0:
            return
        self.records = np.empty(0, self.records.dtype)
        self.words.release()
        with suppress(BufferError):  # somebody still holds an array on it: it goes with that
            self._map.close()
        self.weights.close()
        os.close(self._fd)
        self._fd = -1


def _in_pages(size: int) -> int:
    return -(-size // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY


def _read_description(data: mmap.mmap) -> tuple[RingDescription, int]:
    if len(data) < _DESCRIPTION_AT:
        raise ProtocolError("not a sample ring: it is too short")
    magic, length = _START.unpack_from(data, 0)
    if magic != _MAGIC:
        raise ProtocolError(f"not a sample ring of layout {_MAGIC!r}: it begins with {magic!r}")
    end = _DESCRIPTION_AT + length
    try:
        return msgspec.msgpack.decode(data[_DESCRIPTION_AT:end], type=RingDescription), _in_pages(end)
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"a sample ring whose description cannot be read: {error}") from error
