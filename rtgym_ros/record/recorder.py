"""Recording without holding up whoever flies: what is recorded is copied to a process that writes it into files."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rtgym_ros.core.caller_warning import warn_caller
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.record.byte_ring import OVERHEAD
from rtgym_ros.record.cdr_writer import serialise
from rtgym_ros.record.errors import RecordingWarning
from rtgym_ros.record.file_series import Split, check_split
from rtgym_ros.record.hand_over import (
    EPISODE,
    ERROR,
    FILE,
    MESSAGE,
    MESSAGE_HEAD,
    MESSAGES_LOST,
    MESSAGES_WRITTEN,
    METADATA,
    READY,
    STEPS_LOST,
    STEPS_WRITTEN,
    TAKEN_BYTES,
    TIME_STEP_NUMBER,
    TOPIC,
    HandOver,
    Setup,
    topic_to_bytes,
)
from rtgym_ros.record.recorded_topic import RecordedTopic
from rtgym_ros.record.start_writer import WriterHandle
from rtgym_ros.record.time_step import RecordedTimeStep

_START_TIMEOUT = 10.0  # s; on a slow machine the flight begins nevertheless
_START_POLL = 0.005  # s
_WARNING_PERIOD = 10.0  # s
_LOOK_PERIOD_NS = 100_000_000  # how often a time-step looks whether the writer is still there
_HEADS = OVERHEAD + MESSAGE_HEAD.size  # bytes of a message beside its own


@dataclass(frozen=True)
class RecorderState:
    """What a recorder has done so far.

    Attributes:
        written: time-steps handed over to the operating system.
        dropped: time-steps that are in no file: the queue was full, the disk refused them, or the writer is gone.
        queued_bytes: what waits for the writer.
        file: the latest file, None before the first.
        error: why nothing is being written, '' while all is well.
        messages_written: messages of the robot's topics, as `written`.
        messages_dropped: messages of the robot's topics, as `dropped`.
        facts_dropped: episodes and labels that found no room; their time-steps are not affected.
    """

    written: int
    dropped: int
    queued_bytes: int
    file: Path | None
    error: str
    messages_written: int = 0
    messages_dropped: int = 0
    facts_dropped: int = 0


class Recorder:
    """Writes time-steps to MCAP files in a process of its own. One thread at a time may call its methods.

    :meth:`write_message` is for messages of the robot's topics; another thread, but one at a time, may call that.

    Making one takes as long as starting a Python program. No method waits for the disk but :meth:`close`: they copy
    into memory that the writer shares. What cannot be written is counted in :attr:`state`, visible in the file as a
    gap in the sequence numbers, and told by a :class:`RecordingWarning`; no method raises for it. The writer goes on
    when this process is killed, and writes what it was given; when the writer is killed, one warning says so, and the
    flight goes on without a recording.

    A process that was forked from this one records nothing with it.

    Args:
        folder: where the files go.
        run: metadata of each file, see :func:`~rtgym_ros.record.run_facts.run_facts`.
        split: ``"episode"`` (a file each) or the bytes after which the next file begins.
        queue_bytes: how much may wait for the disk before time-steps are dropped.

    Raises:
        ConfigError: an argument is out of range.
        OSError: ``folder`` cannot be made, there is no memory, or the writer cannot be started.
    """

    def __init__(
        self, folder: str | Path, run: Mapping[str, str], *, split: Split = "episode", queue_bytes: int = 64 << 20
    ) -> None:
        check_split(split)
        if queue_bytes < 1:
            raise ConfigError(f"queue_bytes must be 1 or more, got {queue_bytes!r}")
        Path(folder).mkdir(parents=True, exist_ok=True)
        self._run_id = run["run"]
        self._queue_bytes = queue_bytes
        # Absolute: the program may change its working directory.
        self._hand_over = HandOver(Setup(str(Path(folder).absolute()), dict(run), split), queue_bytes)
        try:
            self._writer = WriterHandle(self._hand_over.fd)
        finally:
            self._hand_over.close_fd()
        try:
            self._wait_for_writer()
        except BaseException:
            self._hand_over.begin_closing()  # Ctrl-C meanwhile: the writer has nothing to wait for
            raise
        self._pid = os.getpid()
        self._topics: dict[RecordedTopic, int] = {}
        self._put_bytes = self._put_message_bytes = 0  # each changed by one thread alone
        self._sequence = self._messages = 0  # as many as were to be recorded
        self._refused = self._messages_refused = self._facts_refused = 0
        self._looked_ns = 0
        self._is_over = False  # the writer has ended
        self._is_closed = False
        self._end = ""  # why it has, if nobody asked for it
        self._told: tuple[int, str, float] = (0, "", -_WARNING_PERIOD)
        # A program that ends without close(), by an exception for example.
        atexit.register(self.close)

    @property
    def state(self) -> RecorderState:
        """Counts and the latest error; any thread may read it."""
        self._look()
        shared = self._hand_over
        written, lost = shared.count(STEPS_WRITTEN), shared.count(STEPS_LOST)
        messages_written, messages_lost = shared.count(MESSAGES_WRITTEN), shared.count(MESSAGES_LOST)
        file = shared.text(FILE)
        return RecorderState(
            written,
            self._sequence - written if self._is_over else self._refused + lost,
            0 if self._is_over else self._queued_bytes,
            Path(file) if file else None,
            self._end or shared.text(ERROR),
            messages_written,
            self._messages - messages_written if self._is_over else self._messages_refused + messages_lost,
            self._facts_refused,
        )

    @property
    def writer_pid(self) -> int:
        """Process id of the writer."""
        return self._writer.pid

    def begin_episode(self, facts: Mapping[str, str]) -> None:
        """Begin an episode: what is known of it (``episode``, ``seed``, ``options``) as metadata."""
        self._put_facts(EPISODE, {"run": self._run_id, **facts})

    def annotate(self, name: str, facts: Mapping[str, str]) -> None:
        """Add metadata to the file of the running episode: a label, a note."""
        self._put_facts(METADATA, [name, {"run": self._run_id, **facts}])

    def write(self, step: RecordedTimeStep) -> None:
        """Record a time-step; its arrays may be changed as soon as this returns.

        Raises:
            RecordError: it is not made of numbers.
        """
        message = serialise(step)  # not a copy yet: the arrays are copied once, into the ring
        now_ns = time.time_ns()
        sequence = self._sequence & 0xFFFFFFFF
        self._sequence += 1
        ring, size = self._hand_over.steps, _HEADS + sum(map(len, message))
        if self._has_no_room(size) or not ring.has_room(size):
            self._refused += 1
        else:
            self._put_bytes += size
            head = MESSAGE_HEAD.pack(TIME_STEP_NUMBER, sequence, now_ns, now_ns)
            ring.put(self._hand_over.next_ticket(), MESSAGE, head, *message)
        if abs(now_ns - self._looked_ns) >= _LOOK_PERIOD_NS:  # the system's clock may be set back
            self._looked_ns = now_ns
            self._warn()

    def write_message(
        self, topic: RecordedTopic, log_time_ns: int, publish_time_ns: int, sequence: int, message: bytes
    ) -> None:
        """Record a serialised message.

        Args:
            topic: where it came.
            log_time_ns: see :class:`~rtgym_ros.record.mcap_file.McapFile`.
            publish_time_ns: the same.
            sequence: number of the message on its topic; a gap tells readers of what was dropped.
            message: CDR, with its encapsulation.
        """
        self._messages += 1
        ring, size = self._hand_over.messages, _HEADS + len(message)
        number = self._number_of(topic)
        if number is None or self._has_no_room(size) or not ring.has_room(size):
            self._messages_refused += 1
            return
        self._put_message_bytes += size
        head = MESSAGE_HEAD.pack(number, sequence & 0xFFFFFFFF, log_time_ns, publish_time_ns)
        ring.put(self._hand_over.next_ticket(), MESSAGE, head, message)

    def close(self, timeout: float = 10.0) -> None:
        """Have written what is queued, and the file closed; a second call does nothing.

        Args:
            timeout: how long to wait for the disk (s). The writer goes on by itself after it.
        """
        if os.getpid() != self._pid or self._is_closed:
            return
        self._is_closed = True
        atexit.unregister(self.close)
        self._hand_over.begin_closing()
        if self._writer.wait(timeout):
            self._look()
        else:
            file = self.state.file
            self._end = f"the disk took longer than {timeout:g} s: process {self.writer_pid} goes on writing {file}"
        self._warn(at_once=True)
        self._writer.close()

    def _wait_for_writer(self) -> None:
        """Wait until the writer takes what is put: what is flown before would be lost if both were killed.

        Raises:
            OSError: it has ended.
        """
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._hand_over.count(READY):
            if self._writer.has_ended:
                reason = self._writer.how_it_ended() or "the writer has ended"
                self._writer.close()
                raise OSError(f"nothing can be recorded: {reason}")
            if time.monotonic() > deadline:
                return  # what is put meanwhile is written later
            time.sleep(_START_POLL)

    @property
    def _queued_bytes(self) -> int:
        return self._put_bytes + self._put_message_bytes - self._hand_over.count(TAKEN_BYTES)

    def _has_no_room(self, size: int) -> bool:
        over = self._is_over or self._is_closed or os.getpid() != self._pid
        return over or self._queued_bytes + size > self._queue_bytes

    def _number_of(self, topic: RecordedTopic) -> int | None:
        """Return the number under which the writer knows a topic; None where there is no room to tell it."""
        number = self._topics.get(topic)
        if number is None:
            number = TIME_STEP_NUMBER + 1 + len(self._topics)
            entry = topic_to_bytes(number, topic)
            if os.getpid() != self._pid or not self._hand_over.messages.has_room(len(entry)):
                return None
            self._hand_over.messages.put(self._hand_over.next_ticket(), TOPIC, entry)
            self._topics[topic] = number
        return number

    def _put_facts(self, kind: int, facts: object) -> None:
        entry = json.dumps(facts).encode()
        ring = self._hand_over.steps
        if self._is_over or self._is_closed or os.getpid() != self._pid or not ring.has_room(len(entry)):
            self._facts_refused += 1
        else:
            ring.put(self._hand_over.next_ticket(), kind, entry)

    def _look(self) -> None:
        """Note the end of the writer."""
        if not self._is_over and os.getpid() == self._pid and self._writer.has_ended:
            self._end = self._writer.how_it_ended() or ("" if self._is_closed else "the writer has ended")
            self._is_over = True

    def _warn(self, at_once: bool = False) -> None:
        told, told_error, when = self._told
        now = time.monotonic()
        # The death of the writer is reported at once, other things not too often, and nothing after that.
        state = self.state
        dead = self._is_over and self._end
        if told_error == self._end if dead else (not at_once and now < when + _WARNING_PERIOD):
            return
        dropped = state.dropped + state.messages_dropped
        if dropped == told and state.error == told_error:
            return
        self._told = (dropped, state.error, now)
        if dropped or state.error:
            reason = state.error or "the disk is slower than the time-steps come"
            with contextlib.suppress(RecordingWarning):  # the flight goes on where warnings are errors, too
                warn_caller(f"{_what_is_missing(state)} missing from the recording: {reason}", RecordingWarning)


def _what_is_missing(state: RecorderState) -> str:
    text = f"{state.dropped} time-steps"
    return f"{text} and {state.messages_dropped} messages are" if state.messages_dropped else f"{text} are"
