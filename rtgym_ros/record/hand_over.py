"""The memory that a recorder shares with the process that writes its files.

It has no name anywhere: the kernel frees it with the last process that has it, however that ends.
"""

from __future__ import annotations

import itertools
import json
import mmap
import os
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rtgym_ros.core.memory_fence import fence
from rtgym_ros.record.byte_ring import WORDS, Entry, RingPutter, RingTaker
from rtgym_ros.record.file_series import Split
from rtgym_ros.record.nameless_file import nameless_file
from rtgym_ros.record.recorded_topic import RecordedTopic

# What an entry is.
MESSAGE = 1  # MESSAGE_HEAD, then the serialised message
TOPIC = 2  # of messages: a RecordedTopic as JSON, with its number
EPISODE = 3  # metadata of the episode that begins, JSON
METADATA = 4  # [name, metadata], JSON

MESSAGE_HEAD = struct.Struct("<IIQQ")
"""Number of the topic, sequence number, log time and publish time (ns) of a message."""
TIME_STEP_NUMBER = 0
"""Number of the topic of time-steps."""

# 8-byte words, in cache lines of their own: of the recorder,
CLOSING = 0  # 1 when nothing more will come
# and of the writer.
STEPS_WRITTEN, STEPS_LOST, MESSAGES_WRITTEN, MESSAGES_LOST, TAKEN_BYTES = range(8, 13)
ERROR, FILE = 13, 14  # which of the two places of a text counts
READY = 15  # 1 once it takes what is put
_CAPACITY, _SETUP_BYTES = 16, 17  # for the writer, when it opens it
_RINGS_AT = 24
_TEXTS_AT = 8 * (_RINGS_AT + 2 * WORDS)
_TEXT_BYTES = 4608  # a path has up to 4096
_HEADER_BYTES = 1 << 15  # two texts with two places each, and some room
_SPARE = 1 << 20  # beyond what may wait, for metadata: an episode begins even while time-steps find no room
_PATIENCE = 0.1  # s; for an entry that is being put, before those behind it are taken without it


@dataclass(frozen=True)
class Setup:
    """What the writer has to know.

    Attributes:
        folder: where the files go, absolute.
        run: metadata of each file.
        split: when a new file begins.
    """

    folder: str
    run: Mapping[str, str]
    split: Split


def topic_to_bytes(number: int, topic: RecordedTopic) -> bytes:
    """Return the entry that tells the writer of a topic."""
    return json.dumps({"number": number, **asdict(topic)}).encode()


def topic_from_bytes(data: bytes) -> tuple[int, RecordedTopic]:
    """Return what :func:`topic_to_bytes` was given."""
    values = json.loads(data)
    values["facts"] = tuple(map(tuple, values["facts"]))
    return values.pop("number"), RecordedTopic(**values)


class _Shared:
    """The mapped memory."""

    def __init__(self, fd: int) -> None:
        self._map = mmap.mmap(fd, 0)
        self.memory = memoryview(self._map)
        self.words = self.memory[:_TEXTS_AT].cast("Q")

    def ring(self, number: int) -> tuple[memoryview, memoryview]:
        """Return counters and memory of a ring."""
        capacity = self.words[_CAPACITY]
        first, begin = _RINGS_AT + number * WORDS, _HEADER_BYTES + number * capacity
        return self.words[first : first + WORDS], self.memory[begin : begin + capacity]

    def text(self, word: int) -> str:
        place = self._place(word, self.words[word])
        return bytes(place).partition(b"\0")[0].decode(errors="replace")

    def set_text(self, word: int, text: str) -> None:
        other = 1 - self.words[word]
        place, data = self._place(word, other), text.encode()[: _TEXT_BYTES - 1]
        place[: len(data) + 1] = data + b"\0"
        fence()
        self.words[word] = other

    def _place(self, word: int, which: int) -> memoryview:
        begin = _TEXTS_AT + (2 * (word - ERROR) + which) * _TEXT_BYTES
        return self.memory[begin : begin + _TEXT_BYTES]


class HandOver:
    """The recorder's end.

    Args:
        setup: for the writer.
        queue_bytes: how much may wait in each ring.

    Attributes:
        steps: ring of the thread that records time-steps.
        messages: ring of the thread that records messages.

    Raises:
        OSError: there is no memory.
    """

    def __init__(self, setup: Setup, queue_bytes: int) -> None:
        text = json.dumps(asdict(setup)).encode()
        capacity = queue_bytes + _SPARE
        self._file = nameless_file()
        try:
            self._file.truncate(_HEADER_BYTES + 2 * capacity + len(text))
            self._shared = _Shared(self._file.fileno())
        except BaseException:
            self._file.close()
            raise
        self._shared.words[_CAPACITY], self._shared.words[_SETUP_BYTES] = capacity, len(text)
        self._shared.memory[-len(text) :] = text
        self.steps, self.messages = (RingPutter(*self._shared.ring(number)) for number in range(2))
        self.next_ticket: Callable[[], int] = itertools.count().__next__

    @property
    def fd(self) -> int:
        """Of the memory; the writer inherits it."""
        return self._file.fileno()

    def count(self, word: int) -> int:
        """Return a counter."""
        return self._shared.words[word]

    def text(self, word: int) -> str:
        """Return a text of the writer."""
        return self._shared.text(word)

    def begin_closing(self) -> None:
        """Tell the writer that nothing more will come."""
        fence()
        self._shared.words[CLOSING] = 1

    def close_fd(self) -> None:
        """Close the descriptor, once the writer has it; the memory stays mapped."""
        self._file.close()


class Takeover:
    """The writer's end.

    Args:
        fd: of the memory; it is closed.

    Attributes:
        setup: what the recorder wants.
    """

    def __init__(self, fd: int) -> None:
        self._shared = _Shared(fd)
        os.close(fd)
        text: dict[str, Any] = json.loads(bytes(self._shared.memory[-self._shared.words[_SETUP_BYTES] :]))
        self.setup = Setup(**text)
        self._rings = [RingTaker(*self._shared.ring(number)) for number in range(2)]
        self._expected = 0
        self._held_up_at = 0.0

    @property
    def is_closing(self) -> bool:
        """Whether nothing more will come."""
        closing = self._shared.words[CLOSING] == 1
        fence()  # what is looked for after this has been put before that
        return closing

    def take(self, in_order: bool) -> Entry | None:
        """Return the next entry.

        Args:
            in_order: not one whose predecessor, in the other ring, is still being put; for a while.
        """
        tickets = [(ticket, ring) for ring in self._rings if (ticket := ring.next_ticket()) is not None]
        if not tickets:
            return None
        ticket, ring = min(tickets, key=lambda pair: pair[0])
        if in_order and ticket > self._expected:
            # A thread that was interrupted in the middle never puts it: the wait is bounded.
            now = time.monotonic()
            self._held_up_at = self._held_up_at or now
            if now < self._held_up_at + _PATIENCE:
                return None
        self._held_up_at = 0.0
        self._expected = max(ticket + 1, self._expected)
        return ring.take()

    def add(self, word: int, number: int) -> None:
        """Increase a counter."""
        self._shared.words[word] += number

    def set_text(self, word: int, text: str) -> None:
        """Change a text, :data:`ERROR` or :data:`FILE`."""
        if self._shared.text(word) != text:
            self._shared.set_text(word, text)
