"""The ring of samples between the control process, which writes and never waits, and the link process, which reads.

There is no lock. The writer moves ``oldest`` forward before it overwrites a record, and ``written`` after it has
written one. The reader copies, then looks at ``oldest`` again: what lies below may be torn, and is thrown away
(the idea of a seqlock, as in the Linux kernel). Each may die at any instant; the counters are always true.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from rtgym_ros.core.memory_fence import fence
from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.worker.ring_file import WEIGHTS_ROOM, RingFile, Word


class RingWriter(RingFile):
    """The control process's end."""

    written = 0  # samples

    @property
    def weights_version(self) -> int:
        """Of the newest weights that the link process has put; -1 for none."""
        return self.words[Word.WEIGHTS_VERSION]

    def read_weights(self) -> bytes | None:
        """Return the newest weights, a policy file; None where newer ones came meanwhile: look again later."""
        puts = self.words[Word.WEIGHTS_PUTS]
        fence()
        at, size = puts % 2 * WEIGHTS_ROOM, min(self.words[Word.WEIGHTS_SIZES + puts % 2], WEIGHTS_ROOM)
        data = self.weights[at : at + size]
        fence()
        return data if self.words[Word.WEIGHTS_PUTS] == puts else None

    def refuse(self) -> None:
        """Count a sample that is not written because it is not finite."""
        self.words[Word.REFUSED] += 1

    def append(self, values: tuple[Any, ...]) -> None:
        """Write a sample, a value for each field of the schema in its order, over the oldest one. It never waits.

        Raises:
            ValueError: they are more or less, or one does not fit into its field.
        """
        written = self.written
        if written >= self.capacity:
            self.words[Word.OLDEST] = written - self.capacity + 1
            fence()
        try:
            self.records[written % self.capacity] = values
        except ValueError:
            for (name, _, shape), value in zip(self.schema.fields, values, strict=True):
                if np.shape(value) != shape:
                    raise ValueError(f"{name} must have the shape {shape}, got {np.shape(value)}") from None
            raise
        fence()
        self.written = self.words[Word.WRITTEN] = written + 1

    def close(self) -> None:
        """Say that nothing more will come, and let go of the file; a second call does nothing."""
        if self._fd >= 0:
            fence()
            self.words[Word.CLOSED] = 1
        super().close()


class RingReader(RingFile):
    """The link process's end."""

    noted = 0  # how many samples it is written down to have

    @property
    def written(self) -> int:
        """How many samples were ever written."""
        return self.words[Word.WRITTEN]

    @property
    def acknowledged(self) -> int:
        """Return the number of the first sample that is not acknowledged."""
        return self._pair()[0]

    @property
    def dropped(self) -> int:
        """How many samples were overwritten before they were acknowledged."""
        return self.dropped_before(self.words[Word.OLDEST])

    def dropped_before(self, seq: int) -> int:
        """Return how many are given up where ``seq`` is the first one that can still be acknowledged."""
        acknowledged, dropped = self._pair()
        return dropped + max(seq - acknowledged, 0) + self.description.given_up

    @property
    def refused(self) -> int:
        """How many samples were not finite, and were not written."""
        return self.words[Word.REFUSED]

    @property
    def unread(self) -> int:
        """How many samples are there to be read."""
        return self.written - max(self.acknowledged, self.words[Word.OLDEST])

    def is_over(self) -> bool:
        """Whether nothing more will come: the writer has closed the ring, or it is gone."""
        return self.words[Word.CLOSED] == 1 or not self.is_locked()

    def read(self, max_samples: int) -> tuple[int, np.ndarray]:
        """Return the number of the first sample that is not acknowledged, and a copy of it and of those behind it.

        They are records of shape (n,) with n <= ``max_samples``, none where there is nothing new.
        """
        end = self.words[Word.WRITTEN]
        fence()
        first = max(self.acknowledged, self.words[Word.OLDEST])
        end = max(min(end, first + max_samples), first)
        records = np.empty(end - first, self.records.dtype)
        begin_slot = first % self.capacity
        until_wrap = min(len(records), self.capacity - begin_slot)
        records[:until_wrap] = self.records[begin_slot : begin_slot + until_wrap]
        records[until_wrap:] = self.records[: len(records) - until_wrap]
        fence()
        torn = min(max(self.words[Word.OLDEST] - first, 0), len(records))
        return first + torn, records[torn:]

    def acknowledge(self, next_seq: int, first_seq: int) -> None:
        """Never hand out again what is below ``next_seq``, and count as dropped what was below ``first_seq``.

        Going back does nothing.
        """
        acknowledged, dropped = self._pair()
        next_seq = min(next_seq, self.written)
        if next_seq <= acknowledged:
            return
        dropped += max(min(first_seq, next_seq) - acknowledged, 0)
        other = 1 - self.words[Word.PAIR]
        self.words[Word.PAIRS + 2 * other], self.words[Word.PAIRS + 2 * other + 1] = next_seq, dropped
        fence()
        self.words[Word.PAIR] = other

    def put_weights(self, version: int, data: bytes) -> None:
        """Hand weights, a policy file, to the control process.

        They go where the ones before last were, which nobody reads any more, unless it takes longer than from one
        version to the next; then the reader sees that another put has happened, and reads again.

        Raises:
            ProtocolError: they are larger than :data:`WEIGHTS_ROOM`.
            OSError: there is no memory for them.
        """
        if len(data) > WEIGHTS_ROOM:
            raise ProtocolError(f"weights of {len(data)} bytes, and a ring has room for {WEIGHTS_ROOM}")
        puts = self.words[Word.WEIGHTS_PUTS] + 1
        at = puts % 2 * WEIGHTS_ROOM
        os.posix_fallocate(self._fd, self._weights_at + at, max(len(data), 1))
        self.weights[at : at + len(data)] = data
        self.words[Word.WEIGHTS_SIZES + puts % 2] = len(data)
        fence()
        self.words[Word.WEIGHTS_PUTS] = puts
        fence()
        self.words[Word.WEIGHTS_VERSION] = version

    def _pair(self) -> tuple[int, int]:
        at = Word.PAIRS + 2 * self.words[Word.PAIR]
        return self.words[at], self.words[at + 1]
