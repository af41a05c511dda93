"""The process that writes what a recorder hands over: compressing and writing never hold up whoever flies.

It ends when the recorder is closed, or when the process that has the recorder is gone, however that ended; what was
handed over is written, and the file closed, before.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rtgym_ros.record.byte_ring import OVERHEAD, Entry
from rtgym_ros.record.file_series import FileSeries
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
    Takeover,
    topic_from_bytes,
)
from rtgym_ros.record.recorded_topic import TIME_STEP

_POLL = 0.02  # s; waking the writer for each time-step would cost the caller a system call
_FLUSH_PERIOD = 0.2  # s; of a killed writer no more than this and the time of one flush is lost
_RETRY_PERIOD = 2.0  # s; after an error of the disk


def main() -> None:
    """Write what comes through the memory whose descriptor is given, from the process whose id is given."""
    fd, parent = map(int, sys.argv[1:3])
    # Ctrl-C and the end of a session are for whoever flies; this process has the end of the flight to write.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _lower_priority()
    takeover = Takeover(fd)
    try:
        _Writer(takeover, lambda: os.getppid() != parent).run()
    except BaseException as error:
        takeover.set_text(ERROR, f"the writer has ended: {error!r}")
        raise


def _lower_priority() -> None:
    if hasattr(os, "sched_setscheduler"):
        # The real-time priority of whoever started this is none of it; and it preempts nobody when it wakes. Not nice:
        # on a machine that has too much to do it would get nothing, and what waits for it would be lost.
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


class _Count:
    """What became of the time-steps, or of the messages."""

    def __init__(self, takeover: Takeover, written: int, lost: int) -> None:
        self._takeover, self._written, self._lost = takeover, written, lost
        self.unflushed = 0

    def flushed(self) -> None:
        self._takeover.add(self._written, self.unflushed)
        self.unflushed = 0

    def lose(self, number: int) -> None:
        self._takeover.add(self._lost, number)

    def lose_unflushed(self) -> None:
        self.lose(self.unflushed)
        self.unflushed = 0


class _Writer:
    """Takes entries and writes them into files.

    Args:
        takeover: where they come from.
        is_alone: whether the recorder's process is gone.
    """

    def __init__(self, takeover: Takeover, is_alone: Callable[[], bool]) -> None:
        self._takeover = takeover
        self._is_alone = is_alone
        setup = takeover.setup
        self._files = FileSeries(Path(setup.folder), setup.run, setup.split)
        self._topics = {TIME_STEP_NUMBER: TIME_STEP}
        self._steps = _Count(takeover, STEPS_WRITTEN, STEPS_LOST)
        self._messages = _Count(takeover, MESSAGES_WRITTEN, MESSAGES_LOST)
        self._retry_at = 0.0
        self._told_path: Path | None = None

    def run(self) -> None:
        """Return when all is written."""
        self._takeover.add(READY, 1)
        flush_at = time.monotonic() + _FLUSH_PERIOD
        while True:
            # Asked before looking, so that what came last is found.
            is_last = self._takeover.is_closing or self._is_alone()
            entry = self._takeover.take(in_order=not is_last)
            if entry is not None:
                self._handle(entry)
            elif is_last:
                break
            else:
                time.sleep(_POLL)
            if time.monotonic() >= flush_at:
                self._attempt(self._flush)
                flush_at = time.monotonic() + _FLUSH_PERIOD
        self._attempt(self._flush)
        self._attempt(self._files.close)

    def _handle(self, entry: Entry) -> None:
        if entry.kind == MESSAGE:
            self._message(entry.data)
            self._takeover.add(TAKEN_BYTES, OVERHEAD + len(entry.data))
            return
        if entry.kind == TOPIC:
            number, topic = topic_from_bytes(entry.data)
            self._topics[number] = topic
            return
        facts = json.loads(entry.data)
        if entry.kind == EPISODE:
            self._attempt(lambda: self._files.begin_episode(facts))
        elif entry.kind == METADATA:
            self._attempt(lambda: self._files.add_metadata(*facts))

    def _message(self, data: bytes) -> None:
        number, sequence, log_time_ns, publish_time_ns = MESSAGE_HEAD.unpack_from(data)
        topic, message = self._topics[number], data[MESSAGE_HEAD.size :]
        count = self._steps if number == TIME_STEP_NUMBER else self._messages
        self._attempt(lambda: self._files.write(topic, log_time_ns, publish_time_ns, sequence, message), count)

    def _flush(self) -> None:
        self._files.flush()
        if self._steps.unflushed or self._messages.unflushed:
            self._takeover.set_text(ERROR, "")
        for count in self._steps, self._messages:
            count.flushed()

    def _attempt(self, work: Callable[[], None], count: _Count | None = None) -> None:
        """Do it; a failure of the disk is counted, and messages are tried again only after a while."""
        if count is not None and time.monotonic() < self._retry_at:
            count.lose(1)
            return
        if count is not None:
            count.unflushed += 1
        try:
            work()
        except OSError as error:
            for each in self._steps, self._messages:
                each.lose_unflushed()
            self._files.abandon()
            self._takeover.set_text(ERROR, f"{error.strerror or error} ({self._files.path})")
            self._retry_at = time.monotonic() + _RETRY_PERIOD
        if self._files.path is not self._told_path:
            self._told_path = self._files.path
            self._takeover.set_text(FILE, str(self._told_path))
