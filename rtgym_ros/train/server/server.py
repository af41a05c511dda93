"""The server: queues samples on disk for the trainer, keeps the newest weights for the workers. It learns nothing."""

from __future__ import annotations

import fcntl
import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from rtgym_ros.core.errors import RtgymError
from rtgym_ros.train.config import ServerConfig
from rtgym_ros.train.errors import ProtocolError, RefusedError
from rtgym_ros.train.protocol.messages import (
    AskStatus,
    Batch,
    Publish,
    Published,
    Push,
    Pushed,
    Refused,
    Release,
    Released,
    Reply,
    Request,
    Status,
    Take,
    Taken,
    decode_request,
    encode,
)
from rtgym_ros.train.server.journal import Journal, columns_from, sync_folder
from rtgym_ros.train.server.ledger import Ledger
from rtgym_ros.train.server.newest_weights import NewestWeights
from rtgym_ros.train.server.run_schema import RunSchema, check_columns
from rtgym_ros.train.server.trainer_lease import TrainerLease

MAX_TAKEN_BYTES = 64_000_000
"""What one reply to the trainer holds at most (or one batch, if that is more)."""
_HIGHEST = 2**62  # of what peers count; sums of it still fit into MessagePack
_REASON_LENGTH = 1000


class Server:
    """Answers requests, from any thread; its state is a folder, so that it can be killed at any time and start again.

    Samples that were acknowledged are in the journal, and the ledger, which can be made again from it, tells which
    those are: nothing acknowledged is lost, and nothing is taken in twice, however often it is pushed.

    Args:
        folder: of its files; it is made. Only one server may have it open.
        config: the limits.
        run: name of the run.
        monotonic: a clock (s).
        segment_bytes: about how long a file of the journal becomes.

    Raises:
        ProtocolError: the folder is in use, of another run, or damaged.
        OSError: the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        config: ServerConfig,
        run: str,
        monotonic: Callable[[], float] = time.monotonic,
        segment_bytes: int = 64_000_000,
    ) -> None:
        self._folder = folder
        self._config = config
        self._mutex = threading.Lock()
        self._closed = False
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as stack:
            self._lock_file = stack.enter_context((folder / "lock").open("wb"))
            try:
                fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ProtocolError(f"{folder} is in use by another server") from error
            for left in (*folder.glob(".*.*"), *folder.glob("journal/.*.*")):
                left.unlink()  # of a process that was killed before it had written it
            self._schema = RunSchema(folder / "schema.json")
            self._weights = NewestWeights(folder / "weights.safetensors")
            self._lease = TrainerLease(folder / "trainer", config.trainer_timeout, monotonic)
            self._ledger = Ledger(folder / "ledger.msgpack", run, monotonic)
            self._journal = Journal(folder / "journal", segment_bytes, config.sync)
            stack.callback(self._journal.close)
            self._catch_up()
            stack.pop_all()

    def handle(self, request: bytes) -> bytes:
        """Return the reply to an encoded request; whatever is wrong with it is told by ``Refused``."""
        try:
            message = decode_request(request)
            with self._mutex:
                return encode(self._answer(message))
        except RefusedError as error:
            return _refusal(error, error.retry)
        except RtgymError as error:
            return _refusal(error)
        except OSError as error:
            return _refusal(f"the server's disk: {error.strerror or error}", retry=True)
        except Exception as error:  # one bad request must not end the server
            logging.getLogger(__name__).exception("a request failed")
            return _refusal(f"the server failed: {type(error).__name__}: {error}")

    def close(self) -> None:
        """Write down everything; a second call does nothing."""
        with self._mutex:
            if self._closed:
                return
            self._closed = True
            try:
                self._save()
            finally:
                self._journal.close()
                self._lock_file.close()

    def _answer(self, request: Request) -> Reply:
        if self._closed:
            raise RefusedError("the server is ending", retry=True)
        if isinstance(request, Push):
            return self._push(request)
        if isinstance(request, Take):
            return self._take(request)
        if isinstance(request, Release):
            return self._release(request)
        if isinstance(request, Publish):
            return self._publish(request)
        assert isinstance(request, AskStatus)
        return Status(
            samples=self._journal.end,
            queued=self._journal.queued_samples,
            queued_bytes=self._journal.queued_bytes,
            version=self._weights.version,
            workers=self._ledger.figures(),
            trainer=self._lease.holder,
        )

    def _push(self, push: Push) -> Pushed:
        self._ledger.admit(push.worker, self._config.max_workers, self._config.worker_timeout)
        sizes = self._schema.sizes(push.schema, f"at worker {push.worker}")
        check_columns(sizes, push.columns, push.count)
        if push.first_seq + push.count > _HIGHEST:
            raise ProtocolError(f"sequence number {push.first_seq} is beyond {_HIGHEST}")
        self._schema.adopt(push.schema)
        next_seq = self._ledger.heard(push.worker, push.boot, push.have_version)
        known = min(max(next_seq - push.first_seq, 0), push.count)
        if push.count > known:
            self._append(push, known)
            next_seq = push.first_seq + push.count
        self._ledger.count_duplicates(push.worker, known)
        weights = self._weights.newer_than(push.have_version)
        return Pushed(next_seq=next_seq, version=self._weights.version, weights=weights)

    def _append(self, push: Push, known: int) -> None:
        """Take in all but the first ``known`` samples."""
        columns = columns_from(push.columns, push.count, known) if known else push.columns
        count, size = push.count - known, sum(map(len, columns.values()))
        samples, taken = self._journal.queued_samples, self._journal.queued_bytes
        limits = self._config
        # An empty queue takes a batch of any size: otherwise that worker would try for ever.
        if samples and (samples + count > limits.max_queued_samples or taken + size > limits.max_queued_bytes):
            raise RefusedError(
                f"the queue is full: {samples} samples, {taken} bytes wait for the trainer; "
                f"max_queued_samples is {limits.max_queued_samples}, max_queued_bytes {limits.max_queued_bytes}",
                retry=True,
            )
        first_seq = push.first_seq + known
        position = self._journal.append(push.worker, push.boot, first_seq, count, columns)
        self._ledger.account(
            Batch(position=position, worker=push.worker, boot=push.boot, first_seq=first_seq, count=count, columns={})
        )
        if self._journal.newest_begin > self._ledger.saved:
            self._save()  # what a server that starts again has to read is one file of the journal at most

    def _take(self, take: Take) -> Taken:
        self._lease.check(take.trainer)
        if take.schema is not None:
            self._schema.sizes(take.schema, f"at trainer {take.trainer}")
        released, end = self._journal.released, self._journal.end
        if take.position < released:
            raise RefusedError(
                f"samples from position {take.position} on are wanted, and those below {released} are gone: a "
                "checkpoint was written there; resume from it"
            )
        if take.position > end:
            raise RefusedError(f"samples from position {take.position} on are wanted, and they end at {end} here")
        if take.schema is not None:
            self._schema.adopt(take.schema)
        self._lease.take(take.trainer)
        batches = self._journal.read(take.position, min(take.max_bytes, MAX_TAKEN_BYTES))
        return Taken(batches=batches, end=end, version=self._weights.version, schema=self._schema.schema)

    def _release(self, release: Release) -> Released:
        self._lease.check(release.trainer)
        if release.position > self._journal.end:
            raise RefusedError(f"position {release.position} is released, and samples end at {self._journal.end} here")
        self._lease.take(release.trainer)
        if release.position > self._journal.released:
            # First the ledger, in which those samples still count, then the samples.
            self._save()
            self._journal.release(release.position)
        return Released()

    def _publish(self, publish: Publish) -> Published:
        self._lease.check(publish.trainer)
        if publish.version > _HIGHEST:
            raise ProtocolError(f"version {publish.version} is beyond {_HIGHEST}")
        self._weights.publish(publish.version, publish.weights)
        self._lease.take(publish.trainer)
        return Published()

    def _catch_up(self) -> None:
        """Account for what came after the ledger was written."""
        if not self._journal.begin <= self._ledger.position <= self._journal.end:
            raise ProtocolError(
                f"{self._folder}: the ledger ends at position {self._ledger.position}, and the journal has "
                f"{self._journal.begin} to {self._journal.end}; move the folder away to start afresh"
            )
        for batch in self._journal.read_all(self._ledger.position):
            self._ledger.account(batch)
        self._save()

    def _save(self) -> None:
        self._journal.flush()
        self._ledger.save()
        sync_folder(self._folder)


def _refusal(reason: object, retry: bool = False) -> bytes:
    return encode(Refused(reason=" ".join(str(reason).split())[:_REASON_LENGTH], retry=retry))
