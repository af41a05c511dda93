"""The trainer's talk with the server, in a thread of its own: training never waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from types import TracebackType

import numpy as np
from typing_extensions import Self

from rtgym_ros.train.errors import LinkError, ProtocolError, RefusedError
from rtgym_ros.train.links.outage import Outage
from rtgym_ros.train.links.server_client import ServerClient
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.protocol.messages import Publish, Release, Take, Taken
from rtgym_ros.train.protocol.schema import SampleSchema, from_columns

_POLL_S = 0.05  # from one look at an empty queue to the next
_PAUSES_S = (0.2, 5.0)  # after the first failure, and at most; doubled in between
_MAX_BYTES = 16_000_000


@dataclass(frozen=True)
class Arrived:
    """Samples that came together.

    Attributes:
        batches: worker, boot, and records of the schema, shape (n,).
        position: behind the last of them.
    """

    batches: list[tuple[str, str, np.ndarray]]
    position: int


class Exchange:
    """Takes samples ahead (one reply at most is kept), publishes weights and releases what is in a checkpoint.

    While the server cannot be reached, or refuses for now, it tries again, with growing pauses. Of weights that could
    not be published only the newest are kept.

    Args:
        client: way to the server; only the thread uses it while this is entered.
        trainer: name of this trainer.
        position: of the first sample to take.
        version: of the weights that this trainer published last; -1 for none.
        schema: of the samples; None asks the server.
        now_s: a monotonic clock (s).
    """

    def __init__(
        self,
        client: ServerClient,
        trainer: str,
        position: int = 0,
        version: int = -1,
        schema: SampleSchema | None = None,
        now_s: Callable[[], float] = monotonic,
    ) -> None:
        self._client = client
        self._trainer = trainer
        self._position = position
        self._version = version
        self._schema = schema
        self._now_s = now_s
        self._outage = Outage(logging.getLogger(__name__), now_s)
        self._condition = threading.Condition()
        self._arrived: Arrived | None = None
        self._weights: PolicyWeights | None = None
        self._release: int | None = None
        self._problem = ""
        self._error: Exception | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="rtgym_ros exchange")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self._thread.join()

    @property
    def version(self) -> int:
        """The newest version of the weights that the server is known to have."""
        return self._version

    def collect(self, timeout_s: float = 0.0) -> Arrived | None:
        """Return samples that have come; None where there are none within ``timeout_s``.

        Raises:
            RefusedError: the server refuses for good.
            ProtocolError: it says what it should not.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._arrived is not None or self._error is not None, timeout_s)
            self._raise_error()
            arrived, self._arrived = self._arrived, None
            self._condition.notify_all()
            return arrived

    def wait_for_schema(self, timeout_s: float) -> SampleSchema | None:
        """Return the schema of the run, None where it is not known in time; errors as in :meth:`collect`."""
        with self._condition:
            self._condition.wait_for(lambda: self._schema is not None or self._error is not None, timeout_s)
            self._raise_error()
            return self._schema

    def publish(self, weights: PolicyWeights) -> None:
        """Publish weights soon; their version is chosen then."""
        with self._condition:
            self._weights = weights
            self._condition.notify_all()

    def release(self, position: int) -> None:
        """Tell the server soon that what is below ``position`` is in a checkpoint."""
        with self._condition:
            self._release = position
            self._condition.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything is published and released; return whether it is."""
        with self._condition:
            done = self._condition.wait_for(lambda: self._error is not None or not self._has_news(), timeout_s)
            self._raise_error()
            return done

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _has_news(self) -> bool:
        return self._weights is not None or self._release is not None

    def _run(self) -> None:
        pause_s, next_look_s = _PAUSES_S[0], self._now_s()
        try:
            while self._wait(next_look_s):
                try:
                    self._work()
                except (LinkError, RefusedError) as error:
                    if isinstance(error, RefusedError) and not error.retry:
                        raise
                    self._outage.failed(f"the server: {error}")
                    self._problem = str(error)
                    next_look_s = self._now_s() + pause_s
                    pause_s = min(2 * pause_s, _PAUSES_S[1])
                    self._pause(next_look_s)
                else:
                    self._outage.worked()
                    self._problem, pause_s, next_look_s = "", _PAUSES_S[0], self._now_s() + _POLL_S
        except Exception as error:  # the training thread raises it
            with self._condition:
                self._error = error
                self._condition.notify_all()

    def _wait(self, next_look_s: float) -> bool:
        """Sleep until there is something to do; return False at the end."""
        with self._condition:
            while not self._closed and not self._has_news():
                if self._arrived is not None:
                    self._condition.wait()
                elif (left_s := next_look_s - self._now_s()) > 0:
                    self._condition.wait(left_s)
                else:
                    break
            return not self._closed

    def _pause(self, until_s: float) -> None:
        """Sleep, whatever there is to do, but for the end."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed, max(0.0, until_s - self._now_s()))

    def _work(self) -> None:
        with self._condition:
            arrived, weights, release = self._arrived, self._weights, self._release
        # Also where nothing is wanted: its reply tells the newest version, above which weights are published.
        limit = 0 if arrived is not None else _MAX_BYTES
        if arrived is None or weights is not None:
            taken = self._client.take(
                Take(trainer=self._trainer, schema=self._schema, position=self._position, max_bytes=limit)
            )
            self._note(taken, keep=arrived is None)
        if weights is not None:
            version = self._version + 1
            self._client.publish(
                Publish(trainer=self._trainer, version=version, weights=replace(weights, version=version).to_bytes())
            )
            self._version = version
        if release is not None:
            self._client.release(Release(trainer=self._trainer, position=release))
        with self._condition:
            self._weights = None if self._weights is weights else self._weights
            self._release = None if self._release == release else self._release
            self._condition.notify_all()

    def _note(self, taken: Taken, keep: bool) -> None:
        self._version = max(self._version, taken.version)
        self._schema = self._schema or taken.schema
        if not keep or not taken.batches:
            return
        if self._schema is None:
            raise ProtocolError("the server sent samples and not their schema")
        position, batches = self._position, []
        for batch in taken.batches:
            records = from_columns(self._schema, batch.columns, batch.count)
            if batch.position > position:
                raise ProtocolError(f"samples from position {position} on were asked, and {batch.position} came")
            records = records[position - batch.position :]
            position += len(records)
            batches.append((batch.worker, batch.boot, records))
        with self._condition:
            self._arrived, self._position = Arrived(batches, position), position
            self._condition.notify_all()
