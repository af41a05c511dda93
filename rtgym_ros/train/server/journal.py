"""The samples on disk, in the order in which they came in, until the trainer releases them."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

import msgspec

from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.policy.policy_file import write_atomically
from rtgym_ros.train.protocol.messages import Batch
from rtgym_ros.train.server.segment import HEADER_BYTES, SUFFIX, Segment

_RELEASED = "released"
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Batch)


class Journal:
    """Batches of samples in files; every sample has a position, counted from 0 without gaps.

    What :meth:`append` has returned for survives the end of the process by whatever signal; with ``sync`` the end of
    the machine, too. Memory holds 16 bytes a batch that is on disk. Not thread-safe.

    Args:
        folder: of the files; it is made. Only one journal may have it open.
        segment_bytes: about how long a file becomes; files are deleted as a whole.
        sync: whether every append waits for the disk.

    Raises:
        ProtocolError: a file is damaged or missing.
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path, segment_bytes: int = 64_000_000, sync: bool = False) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._sync = sync
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        paths = sorted(folder.glob(f"*{SUFFIX}"))
        self._segments = [Segment(path, newest=path is paths[-1]) for path in paths]
        if not paths:
            self._segments = [Segment.create(folder, 0)]
        try:
            for before, after in zip(self._segments, self._segments[1:], strict=False):
                if before.end != after.begin:
                    raise ProtocolError(f"{before.path} ends at position {before.end}, {after.path} begins elsewhere")
            self._released = self._read_released()
        except BaseException:
            self.close()
            raise
        self._bytes = sum(segment.size for segment in self._segments)
        self._released_bytes = self._segments[0].size_below(self._released)

    @property
    def begin(self) -> int:
        """Position of the oldest sample that is still on disk."""
        return self._segments[0].begin

    @property
    def newest_begin(self) -> int:
        """Position of the first sample in the file that is being written."""
        return self._segments[-1].begin

    @property
    def released(self) -> int:
        """The position below which nothing is needed any more."""
        return self._released

    @property
    def end(self) -> int:
        """Position behind the newest sample: how many were ever taken in."""
        return self._segments[-1].end

    @property
    def queued_samples(self) -> int:
        """How many samples are not released."""
        return self.end - self._released

    @property
    def queued_bytes(self) -> int:
        """What they take on disk (bytes)."""
        return self._bytes - self._released_bytes

    def append(self, worker: str, boot: str, first_seq: int, count: int, columns: dict[str, bytes]) -> int:
        """Write a batch of at least one sample and return its position.

        Raises:
            OSError: it could not be written; the journal is as it was.
        """
        if count < 1:
            raise ValueError(f"a batch has at least one sample, got {count}")
        if self._segments[-1].size >= self._segment_bytes:
            self._rotate()
        position, segment = self.end, self._segments[-1]
        batch = Batch(position=position, worker=worker, boot=boot, first_seq=first_seq, count=count, columns=columns)
        before = segment.size
        segment.append(_encoder.encode(batch), count, self._sync)
        self._bytes += segment.size - before
        return position

    def read(self, position: int, max_bytes: int) -> list[Batch]:
        """Return what is there from ``position`` on: about ``max_bytes`` at most, but at least one batch if any.

        Raises:
            ValueError: the position is not on disk.
            ProtocolError: a file is damaged.
        """
        if not self.begin <= position <= self.end:
            raise ValueError(f"position {position} is not within {self.begin} and {self.end}")
        batches: list[Batch] = []
        while position < self.end and (max_bytes > 0 or not batches):
            segment = self._segments[bisect_right(self._segments, position, key=lambda each: each.begin) - 1]
            for entry in segment.read(position, max_bytes):
                max_bytes -= len(entry) + HEADER_BYTES
                batch = _decode(entry, segment)
                batches.append(batch_from(batch, position - batch.position))
                position = batch.position + batch.count
        return batches

    def read_all(self, position: int) -> Iterator[Batch]:
        """Yield what is there from ``position`` on; errors as in :meth:`read`."""
        while batches := self.read(position, 16_000_000):
            yield from batches
            position = batches[-1].position + batches[-1].count

    def release(self, position: int) -> None:
        """Forget what is below ``position``; one that was released before does nothing.

        Raises:
            ValueError: there is no such position yet.
        """
        if position > self.end:
            raise ValueError(f"position {position} is beyond the end {self.end}")
        if position <= self._released:
            return
        write_atomically(self._folder / _RELEASED, str(position).encode())
        self._released = position
        while len(self._segments) > 1 and self._segments[0].end <= position:
            # The oldest first: what a crash leaves has no gaps.
            oldest = self._segments[0]
            oldest.path.unlink()
            self._bytes -= oldest.size
            del self._segments[0]
        self._released_bytes = self._segments[0].size_below(position)

    def flush(self) -> None:
        """Wait until the disk has everything."""
        self._segments[-1].flush()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        for segment in self._segments:
            segment.seal()

    def _rotate(self) -> None:
        self.flush()
        segment = Segment.create(self._folder, self.end)
        self._segments[-1].seal()
        self._segments.append(segment)
        sync_folder(self._folder)

    def _read_released(self) -> int:
        path = self._folder / _RELEASED
        try:
            position = int(path.read_bytes())
        except FileNotFoundError:
            return self.begin
        except ValueError as error:
            raise ProtocolError(f"{path} does not hold a position") from error
        if position > self.end:
            raise ProtocolError(f"{path} says {position}, and there are samples up to {self.end} only")
        return max(position, self.begin)


def batch_from(batch: Batch, skip: int) -> Batch:
    """Return a batch without its first ``skip`` samples."""
    if skip == 0:
        return batch
    return Batch(
        position=batch.position + skip,
        worker=batch.worker,
        boot=batch.boot,
        first_seq=batch.first_seq + skip,
        count=batch.count - skip,
        columns=columns_from(batch.columns, batch.count, skip),
    )


def columns_from(columns: dict[str, bytes], count: int, skip: int) -> dict[str, bytes]:
    """Return stacked arrays of ``count`` samples without the first ``skip`` samples."""
    return {name: column[len(column) // count * skip :] for name, column in columns.items()}


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _decode(entry: bytes, segment: Segment) -> Batch:
    try:
        return _decoder.decode(entry)
    except msgspec.DecodeError as error:
        raise ProtocolError(f"{segment.path} holds an entry that is no batch: {error}") from error
