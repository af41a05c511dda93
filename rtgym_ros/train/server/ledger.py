"""Who has pushed what: so that no sample is counted twice, and for the table of workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from rtgym_ros.train.errors import ProtocolError, RefusedError
from rtgym_ros.train.policy.policy_file import write_atomically
from rtgym_ros.train.protocol.messages import Batch, WorkerStatus

FORGET_BOOT_S = 86_400.0
"""After this silence (s) a boot is forgotten, unless it is the worker's latest."""
MAX_BOOTS = 10_000
"""Boots of a worker that are remembered at most."""


class _Boot(msgspec.Struct):
    """Everything below ``next_seq`` came, or was given up by the worker."""

    seen: float
    next_seq: int = 0


class _Worker(msgspec.Struct):
    """``boots`` that are remembered, the one heard of last at the end."""

    seen: float
    started: int = 0
    samples: int = 0
    dropped: int = 0
    duplicates: int = 0
    have_version: int = -1
    boots: dict[str, _Boot] = {}


class _Snapshot(msgspec.Struct, forbid_unknown_fields=True):
    """What is on disk: the ledger of all samples below ``position``, with times relative to ``now``."""

    run: str
    position: int
    now: float
    workers: dict[str, _Worker]


class Ledger:
    """The next sequence number of every (worker, boot), and figures of each worker. Not thread-safe.

    A gap in the sequence numbers of a boot is what the worker gave up, so that for every boot the samples taken in and
    those dropped add up to its next sequence number.

    Args:
        path: of its file.
        run: name of the run.
        monotonic: a clock (s).

    Attributes:
        position: samples below it are accounted for.
        saved: the position up to which the file accounts for them.

    Raises:
        ProtocolError: the file is damaged, or of another run.
    """

    def __init__(self, path: Path, run: str, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._run = run
        self._monotonic = monotonic
        self._workers: dict[str, _Worker] = {}
        self.position = self.saved = 0
        if path.exists():
            self._load()

    def admit(self, worker: str, max_workers: int, worker_timeout_s: float) -> None:
        """Refuse a worker that would be one too many.

        Raises:
            RefusedError: ``max_workers`` others were heard of within ``worker_timeout_s``.
        """
        since = self._monotonic() - worker_timeout_s
        others = [name for name, other in self._workers.items() if name != worker and other.seen >= since]
        if len(others) >= max_workers and not (worker in self._workers and self._workers[worker].seen >= since):
            raise RefusedError(
                f"worker {worker} would be one too many: max_workers is {max_workers}, and there are "
                f"{', '.join(sorted(others))}",
                retry=True,
            )

    def heard(self, worker: str, boot: str, have_version: int) -> int:
        """Note that a worker is there; return the next sequence number of that boot."""
        record = self._boot(worker, boot)
        self._workers[worker].have_version = have_version
        return record.next_seq

    def count_duplicates(self, worker: str, count: int) -> None:
        """Note that ``count`` samples came again."""
        self._workers[worker].duplicates += count

    def account(self, batch: Batch) -> None:
        """Note a batch that is in the journal; its columns are not looked at.

        Raises:
            ProtocolError: it is not the one that comes next.
        """
        boot = self._boot(batch.worker, batch.boot)
        if batch.position != self.position or batch.first_seq < boot.next_seq:
            raise ProtocolError(
                f"the journal has sample {batch.first_seq} of {batch.worker}/{batch.boot} at position "
                f"{batch.position}, and the ledger expects {boot.next_seq} at {self.position}"
            )
        worker = self._workers[batch.worker]
        worker.samples += batch.count
        worker.dropped = min(worker.dropped + batch.first_seq - boot.next_seq, 2**63)  # what MessagePack can hold
        boot.next_seq = batch.first_seq + batch.count
        self.position += batch.count

    def figures(self) -> list[WorkerStatus]:
        """Return the figures of every worker, by name."""
        now = self._monotonic()
        return [
            WorkerStatus(
                worker=name,
                boots=worker.started,
                samples=worker.samples,
                dropped=worker.dropped,
                duplicates=worker.duplicates,
                have_version=worker.have_version,
                seen_s_ago=now - worker.seen,
            )
            for name, worker in sorted(self._workers.items())
        ]

    def save(self) -> None:
        """Write the file, whole or not at all. The journal must be on disk up to here.

        Raises:
            OSError: it could not be written; the old one is still there.
        """
        snapshot = _Snapshot(self._run, self.position, self._monotonic(), self._workers)
        write_atomically(self._path, msgspec.msgpack.encode(snapshot))
        self.saved = self.position

    def _load(self) -> None:
        try:
            snapshot = msgspec.msgpack.decode(self._path.read_bytes(), type=_Snapshot)
        except msgspec.DecodeError as error:
            raise ProtocolError(f"{self._path} is damaged: {error}") from error
        if snapshot.run != self._run:
            raise ProtocolError(f"{self._path} is of run {snapshot.run!r}, and this is {self._run!r}")
        # Times are of a clock of that process: what passed in between is not known, and does not count.
        later = self._monotonic() - snapshot.now
        for worker in snapshot.workers.values():
            worker.seen += later
            for boot in worker.boots.values():
                boot.seen += later
        self._workers = snapshot.workers
        self.position = self.saved = snapshot.position

    def _boot(self, worker_name: str, boot_name: str) -> _Boot:
        """Return the record of a boot, as the one that was heard of last."""
        now = self._monotonic()
        worker = self._workers.setdefault(worker_name, _Worker(seen=now))
        worker.seen = now
        boot = worker.boots.pop(boot_name, None)
        if boot is None:
            boot = _Boot(seen=now)
            worker.started += 1
        boot.seen = now
        worker.boots[boot_name] = boot
        while len(worker.boots) > 1:
            oldest = next(iter(worker.boots))
            if worker.boots[oldest].seen >= now - FORGET_BOOT_S and len(worker.boots) <= MAX_BOOTS:
                break
            del worker.boots[oldest]
        return boot
