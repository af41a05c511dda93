"""One file of the journal: entries one behind the other, each with its length, count of samples and checksum."""

from __future__ import annotations

import os
import struct
import zlib
from array import array
from bisect import bisect_right
from pathlib import Path

from rtgym_ros.train.errors import ProtocolError

SUFFIX = ".v1"
_NUMBERS = struct.Struct("<II")  # bytes of the entry, samples in it
_HEADER = struct.Struct("<III")  # the same and a CRC-32 of all but itself
HEADER_BYTES = _HEADER.size


class Segment:
    """A file named by the position of its first sample, and an index of it in memory (16 bytes an entry).

    Args:
        path: of the file, which exists.
        newest: whether this is the file that is written to: an entry at its end that was not written to the end, as
            a crash leaves it, is cut off. In any other file that is damage.

    Attributes:
        path: of the file.
        begin: position of its first sample.
        end: position behind its last sample.
        size: what its entries take (bytes).

    Raises:
        ProtocolError: the file is damaged.
    """

    def __init__(self, path: Path, newest: bool) -> None:
        self.path = path
        self.begin = self.end = int(path.name.removesuffix(SUFFIX))
        self.size = 0
        self._positions = array("Q")
        self._offsets = array("Q")
        self._file = os.open(path, os.O_RDWR | os.O_APPEND) if newest else -1
        self._torn = False
        try:
            self._scan(newest)
        except BaseException:
            self.seal()
            raise

    @classmethod
    def create(cls, folder: Path, position: int) -> Segment:
        """Return a new one to be written to, whose first sample will have ``position``."""
        path = folder / f"{position:020d}{SUFFIX}"
        path.touch(mode=0o600)
        return cls(path, newest=True)

    def append(self, entry: bytes, count: int, sync: bool) -> None:
        """Write an entry of ``count`` samples behind the others; on any error it is as if it had not been called.

        Raises:
            OSError: it could not be written.
        """
        if self._torn:
            os.ftruncate(self._file, self.size)
        numbers = _NUMBERS.pack(len(entry), count)
        data = memoryview(b"".join((_HEADER.pack(len(entry), count, zlib.crc32(entry, zlib.crc32(numbers))), entry)))
        self._torn = True
        written = 0
        while written < len(data):
            written += os.write(self._file, data[written:])
        if sync:
            os.fdatasync(self._file)
        self._torn = False
        self._enter(len(entry), count)

    def read(self, position: int, max_bytes: int) -> list[bytes]:
        """Return the entries from the one with ``position`` on: as many as ``max_bytes`` allow, and at least one.

        Raises:
            ProtocolError: one of them is damaged.
        """
        first = bisect_right(self._positions, position) - 1
        begin = self._offsets[first]
        last = len(self._offsets)
        if self.size - begin > max_bytes:
            last = max(first + 1, bisect_right(self._offsets, begin + max_bytes) - 1)
        end = self._offsets[last] if last < len(self._offsets) else self.size
        with self.path.open("rb", buffering=0) as file:
            data = os.pread(file.fileno(), end - begin, begin)
        entries = []
        for number in range(first, last):
            entry = _entry(data, self._offsets[number] - begin)
            if entry is None:
                raise ProtocolError(f"{self.path} is damaged at byte {self._offsets[number]}")
            entries.append(entry)
        return entries

    def size_below(self, position: int) -> int:
        """Return what the entries take (bytes) whose samples are all below ``position``."""
        if position >= self.end:
            return self.size
        return self._offsets[bisect_right(self._positions, position) - 1] if position > self.begin else 0

    def flush(self) -> None:
        """Wait until the disk has it."""
        if self._file >= 0:
            os.fdatasync(self._file)

    def seal(self) -> None:
        """Write to it no more; a second call does nothing."""
        if self._file >= 0:
            try:
                if self._torn:
                    os.ftruncate(self._file, self.size)
            finally:
                os.close(self._file)
                self._file = -1

    def _enter(self, length: int, count: int) -> None:
        self._positions.append(self.end)
        self._offsets.append(self.size)
        self.end += count
        self.size += _HEADER.size + length

    def _scan(self, newest: bool) -> None:
        with self.path.open("rb", buffering=0) as file:
            on_disk = os.fstat(file.fileno()).st_size
            while self.size < on_disk:
                header = os.pread(file.fileno(), _HEADER.size, self.size)
                length, count = _NUMBERS.unpack_from(header) if len(header) == _HEADER.size else (0, 0)
                end = self.size + _HEADER.size + length
                whole = length > 0 and count > 0 and end <= on_disk
                # Only a crash tears entries, and it tears the last: older files were looked through already.
                if whole and newest:
                    whole = _entry(os.pread(file.fileno(), end - self.size, self.size), 0) is not None
                if not whole:
                    self._cut(file.fileno(), min(end, on_disk), newest)
                    return
                self._enter(length, count)

    def _cut(self, file: int, behind: int, newest: bool) -> None:
        """Drop a bad entry which nothing follows, or the zeros that a power failure leaves."""
        if not newest or not _only_zeros(file, behind):
            raise ProtocolError(f"{self.path} is damaged at byte {self.size}; move the folder away to start afresh")
        os.ftruncate(self._file, self.size)


def _only_zeros(file: int, offset: int) -> bool:
    while data := os.pread(file, 1 << 20, offset):
        if data.strip(b"\0"):
            return False
        offset += len(data)
    return True


def _entry(data: bytes, offset: int) -> bytes | None:
    """Return the entry whose header is at ``offset``, None where it is damaged."""
    if len(data) < offset + _HEADER.size:
        return None
    length, count, checksum = _HEADER.unpack_from(data, offset)
    begin = offset + _HEADER.size
    entry = data[begin : begin + length]
    whole = len(entry) == length and zlib.crc32(entry, zlib.crc32(_NUMBERS.pack(length, count))) == checksum
    return entry if whole else None
