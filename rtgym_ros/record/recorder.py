"""Recording without holding up whoever flies: a bounded queue and the thread that empties it into files."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rtgym_ros.core.caller_warning import warn_caller
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.record.cdr_writer import encode
from rtgym_ros.record.errors import RecordingWarning
from rtgym_ros.record.file_series import FileSeries, Split, check_split
from rtgym_ros.record.recorded_topic import TIME_STEP, RecordedTopic
from rtgym_ros.record.time_step import RecordedTimeStep

_POLL = 0.02  # s; the writer is not woken for each time-step, which would cost the caller a context switch
_FLUSH_PERIOD = 0.2  # s; a killed process loses no more than this and the time of one flush
_RETRY_PERIOD = 2.0  # s; after an error of the disk
_WARNING_PERIOD = 10.0  # s
_BREATH = 5e-5  # s; between two messages, so that a clock thread never waits for Python's lock for long


@dataclass(frozen=True)
class RecorderState:
    """What a recorder has done so far.

    Attributes:
        written: time-steps handed over to the operating system.
        dropped: time-steps that are in no file: the queue was full, or the disk refused them.
        queued_bytes: what waits for the writer.
        file: the latest file, None before the first.
        error: why nothing is being written, '' while all is well.
        messages_written: messages of the robot's topics, as `written`.
        messages_dropped: messages of the robot's topics, as `dropped`.
    """

    written: int
    dropped: int
    queued_bytes: int
    file: Path | None
    error: str
    messages_written: int = 0
    messages_dropped: int = 0


@dataclass(slots=True)
class _Count:
    """What became of the time-steps, or of the messages; `refused` is changed by who puts, the others by the writer."""

    refused: int = 0
    written: int = 0
    unflushed: int = 0
    lost: int = 0

    @property
    def dropped(self) -> int:
        return self.refused + self.lost


class Recorder:
    """Writes time-steps to MCAP files in a thread of its own. One thread at a time may call its methods.

    :meth:`write_message` is for messages of the robot's topics; another thread, but one at a time, may call that.

    No method waits for the disk but :meth:`close`. What cannot be written is counted in :attr:`state`, visible in the
    file as a gap in the sequence numbers, and told by a :class:`RecordingWarning`; no method raises for it.

    Args:
        folder: where the files go.
        run: metadata of each file, see :func:`~rtgym_ros.record.run_facts.run_facts`.
        split: ``"episode"`` (a file each) or the bytes after which the next file begins.
        queue_bytes: how much may wait for the disk before time-steps are dropped.

    Raises:
        ConfigError: an argument is out of range.
        OSError: ``folder`` cannot be made.
    """

    def __init__(
        self, folder: str | Path, run: Mapping[str, str], *, split: Split = "episode", queue_bytes: int = 64 << 20
    ) -> None:
        check_split(split)
        if queue_bytes < 1:
            raise ConfigError(f"queue_bytes must be 1 or more, got {queue_bytes!r}")
        Path(folder).mkdir(parents=True, exist_ok=True)
        self._files = FileSeries(Path(folder), run, split)
        self._run_id = run["run"]
        self._queue_bytes = queue_bytes
        self._queue: deque[tuple[int, Callable[[], None], _Count | None]] = deque()
        self._put_bytes = self._put_message_bytes = self._taken_bytes = 0  # each changed by one thread alone
        self._sequence = 0
        self._steps, self._messages = _Count(), _Count()
        self._error = ""
        self._retry_at = 0.0
        self._warned = (0, "", -_WARNING_PERIOD)
        self._closing = threading.Event()
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._run, name="rtgym_ros recorder", daemon=True)
        self._thread.start()
        # A program that ends without close(), by an exception for example.
        atexit.register(self.close)

    @property
    def state(self) -> RecorderState:
        """Counts and the latest error; any thread may read it."""
        steps, messages = self._steps, self._messages
        return RecorderState(
            steps.written,
            steps.dropped,
            self._queued_bytes,
            self._files.path,
            self._error,
            messages.written,
            messages.dropped,
        )

    def begin_episode(self, facts: Mapping[str, str]) -> None:
        """Begin an episode: what is known of it (``episode``, ``seed``, ``options``) as metadata."""
        facts = {"run": self._run_id, **facts}
        self._queue.append((0, lambda: self._files.begin_episode(facts), None))

    def annotate(self, name: str, facts: Mapping[str, str]) -> None:
        """Add metadata to the file of the running episode: a label, a note."""
        facts = {"run": self._run_id, **facts}
        self._queue.append((0, lambda: self._files.add_metadata(name, facts), None))

    def write(self, step: RecordedTimeStep) -> None:
        """Record a time-step; its arrays may be changed as soon as this returns.

        Raises:
            RecordError: it is not made of numbers.
        """
        message = encode(step)
        now_ns = time.time_ns()
        sequence = self._sequence & 0xFFFFFFFF
        self._sequence += 1
        if self._has_no_room(len(message)):
            self._steps.refused += 1
        else:
            self._put_bytes += len(message)
            self._queue.append(
                (
                    len(message),
                    lambda: self._files.write(TIME_STEP, now_ns, now_ns, sequence, message),
                    self._steps,
                )
            )
        self._warn()

    def write_message(
        self, topic: RecordedTopic, log_time_ns: int, publish_time_ns: int, sequence: int, message: bytes
    ) -> None:
        """Record a serialised message; it is not copied.

        Args:
            topic: where it came.
            log_time_ns: see :class:`~rtgym_ros.record.mcap_file.McapFile`.
            publish_time_ns: the same.
            sequence: number of the message on its topic; a gap tells readers of what was dropped.
            message: CDR, with its encapsulation.
        """
        if self._has_no_room(len(message)):
            self._messages.refused += 1
            return
        self._put_message_bytes += len(message)
        self._queue.append(
            (
                len(message),
                lambda: self._files.write(topic, log_time_ns, publish_time_ns, sequence & 0xFFFFFFFF, message),
                self._messages,
            )
        )

    def close(self, timeout: float = 10.0) -> None:
        """Write what is queued and close the file; a second call does nothing.

        Args:
            timeout: how long to wait for the disk (s). What it has not taken by then is lost from the end.
        """
        if os.getpid() != self._pid or self._closing.is_set():
            return
        self._closing.set()
        self._thread.join(timeout)
        atexit.unregister(self.close)
        if self._thread.is_alive():
            self._error = f"the disk took longer than {timeout:g} s: {self._files.path} is not closed"
        self._warn(at_once=True)

    @property
    def _queued_bytes(self) -> int:
        return self._put_bytes + self._put_message_bytes - self._taken_bytes

    def _has_no_room(self, size: int) -> bool:
        return self._queued_bytes + size > self._queue_bytes or not self._thread.is_alive()

    def _warn(self, at_once: bool = False) -> None:
        dropped, error = self._steps.dropped + self._messages.dropped, self._error
        told, told_error, when = self._warned
        if (dropped == told and error == told_error) or (not at_once and time.monotonic() < when + _WARNING_PERIOD):
            return
        self._warned = (dropped, error, time.monotonic())
        if dropped or error:
            reason = error or "the disk is slower than the time-steps come"
            with contextlib.suppress(RecordingWarning):  # the flight goes on where warnings are errors, too
                warn_caller(f"{self._what_is_missing()} missing from the recording: {reason}", RecordingWarning)

    def _what_is_missing(self) -> str:
        text = f"{self._steps.dropped} time-steps"
        return f"{text} and {self._messages.dropped} messages are" if self._messages.dropped else f"{text} are"

    # --- in the writer's thread ---

    def _run(self) -> None:
        try:
            flush_at = time.monotonic() + _FLUSH_PERIOD
            while not self._closing.is_set() or self._queue:
                if self._queue:
                    size, work, count = self._queue.popleft()
                    self._attempt(work, count)
                    self._taken_bytes += size
                    if not self._closing.is_set():
                        time.sleep(_BREATH)
                else:
                    self._closing.wait(_POLL)
                if time.monotonic() >= flush_at:
                    self._attempt(self._flush)
                    flush_at = time.monotonic() + _FLUSH_PERIOD
            self._attempt(self._flush)
            self._attempt(self._files.close)
        except BaseException as error:
            self._error = f"the writer has ended: {error!r}"
            raise

    def _flush(self) -> None:
        self._files.flush()
        for count in self._steps, self._messages:
            if count.unflushed:
                count.written += count.unflushed
                count.unflushed = 0
                self._error = ""

    def _attempt(self, work: Callable[[], None], count: _Count | None = None) -> None:
        """Do it; a failure of the disk is counted, and messages are tried again only after a while."""
        if count is not None and time.monotonic() < self._retry_at:
            count.lost += 1
            return
        if count is not None:
            count.unflushed += 1
        try:
            work()
        except OSError as error:
            for each in self._steps, self._messages:
                each.lost += each.unflushed
                each.unflushed = 0
            self._files.abandon()
            self._error = f"{error.strerror or error} ({self._files.path})"
            self._retry_at = time.monotonic() + _RETRY_PERIOD
