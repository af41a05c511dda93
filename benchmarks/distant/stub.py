"""A learner that learns nothing: it takes, counts and publishes."""

from __future__ import annotations

import os
from collections import Counter
from threading import Event, Thread, get_native_id
from time import monotonic

import numpy as np

from rtgym_ros.policies.weights import PolicyWeights
from rtgym_ros.train.stream.learner_link import LearnerLink


class Drain:
    """Takes everything, in a thread, and checks that each sample comes once and in its order.

    Args:
        config: of the run.
        publish_bytes: of weights that are published once a second; 0 for none.
        nice: of the thread.
    """

    def __init__(self, config, publish_bytes: int = 0, nice: int = 0) -> None:
        self._config = config
        self._nice = nice
        self._publish_bytes = publish_bytes
        self._stop = Event()
        self._thread = Thread(target=self._run)
        self.next_seq: Counter = Counter()  # of (worker, boot)
        self.taken = self.dropped = self.batches = 0
        self.wrong: list[str] = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._stop.set()
        self._thread.join()

    def total(self, worker: str) -> int:
        return sum(count for (name, _), count in self.next_seq.items() if name == worker)

    def _run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, get_native_id(), self._nice)  # of this thread, whatever the name says
        link, published, version = LearnerLink(self._config), monotonic(), 0
        try:
            while not self._stop.is_set():
                for batch in link.collect(0.05):
                    self._note(batch)
                if self._publish_bytes and monotonic() - published > 1.0:
                    published, version = monotonic(), version + 1
                    arrays = {"any": np.full(self._publish_bytes // 4, version, np.float32)}
                    link.publish(PolicyWeights("any", -1, arrays, {}))
            self.wrong += [f"{name}: {count}" for name, count in link.counts.items() if count]
        finally:
            link.close()

    def _note(self, batch) -> None:
        key, header = (batch.robot, batch.boot), batch.header
        if header.first_seq != self.next_seq[key]:
            self.wrong.append(f"{key}: {header.first_seq} at {batch.bookmark.position}, not {self.next_seq[key]}")
        if batch.robot.startswith("filler"):
            numbers = batch.records["stamp_ns"]
            if not np.array_equal(numbers, np.arange(header.first_seq, header.next_seq)):
                self.wrong.append(f"{key}: other samples than numbered at {header.first_seq}")
        self.next_seq[key] = header.next_seq
        self.dropped += header.dropped
        self.taken += len(batch.records)
        self.batches += 1
