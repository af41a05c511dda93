"""A trainer that learns nothing: it takes, counts and releases."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager
from threading import Event, Thread, get_native_id
from time import monotonic

import numpy as np

from benchmarks.distant.processes import wait_for
from rtgym_ros.train.errors import LinkError, RefusedError
from rtgym_ros.train.links.open_link import open_link
from rtgym_ros.train.links.server_client import ServerClient
from rtgym_ros.train.links.unix_link import UnixLink
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.protocol.messages import Publish, Release, Status, Take


@contextmanager
def client_of(roles, config, path, nice=0):
    """Yield a client that speaks as the trainer does: over Ray through a relay, in a process of its own."""
    if config.trainer.server.startswith("ray"):
        socket = path.parent / "stub"
        if roles.ended_or_never("relay"):
            arguments = ("--config", path, "--role", "trainer", "--socket", socket)
            roles.start("relay", "rtgym_ros.train.links.relay", *arguments, nice=nice)
        wait_for(socket.exists, 30, "the relay has a socket")
        link = UnixLink(socket)
    else:
        link = open_link(config.trainer.server, config.run, "trainer", config.security)
    with link:
        yield ServerClient(link)


def status(client: ServerClient) -> Status | None:
    """Return the server's figures; None where it cannot be reached."""
    try:
        return client.status()
    except (LinkError, RefusedError):
        return None


class Drain:
    """Takes everything, in a thread, and checks that each sample comes once and in its order.

    Args:
        client: way to the server; nobody else uses it meanwhile.
        publish_bytes: of weights that are published once a second; 0 for none.
        nice: of the thread.
    """

    def __init__(self, client: ServerClient, publish_bytes: int = 0, nice: int = 0) -> None:
        self._nice = nice
        self._client = client
        self._publish_bytes = publish_bytes
        self._version = 0
        self._stop = Event()
        self._thread = Thread(target=self._run)
        self.next_seq: Counter = Counter()  # of (worker, boot)
        self.position = self.end = 0  # taken, and taken in by the server
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
        released = monotonic()
        while not self._stop.is_set():
            try:
                taken = self._client.take(Take(trainer="stub", position=self.position))
                self._note(taken.batches)
                self.end = taken.end
                if monotonic() - released > 1.0:
                    self._client.release(Release(trainer="stub", position=self.position))
                    released = monotonic()
                    self._publish(taken.version)
            except (LinkError, RefusedError) as error:
                if isinstance(error, RefusedError) and not error.retry:
                    self.wrong.append(str(error))
                    return
                taken = None
            if taken is None or not taken.batches:
                self._stop.wait(0.05)  # as the trainer does

    def _note(self, batches) -> None:
        for batch in batches:
            key = (batch.worker, batch.boot)
            if batch.first_seq != self.next_seq[key] or batch.position != self.position:
                self.wrong.append(f"{key}: {batch.first_seq} at {batch.position}, not {self.next_seq[key]}")
            if batch.worker.startswith("filler"):
                numbers = np.frombuffer(batch.columns["stamp_ns"], "<i8")
                if not np.array_equal(numbers, np.arange(batch.first_seq, batch.first_seq + batch.count)):
                    self.wrong.append(f"{key}: other samples than numbered at {batch.first_seq}")
            self.next_seq[key] = batch.first_seq + batch.count
            self.position += batch.count

    def _publish(self, version: int) -> None:
        if self._publish_bytes:
            arrays = {"any": np.full(self._publish_bytes // 4, version, np.float32)}
            weights = PolicyWeights("any", version + 1, arrays, {}).to_bytes()
            self._client.publish(Publish(trainer="stub", version=version + 1, weights=weights))
