"""A learner's link to the server: samples are fetched ahead and weights published in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rtgym_ros.policies.weights import PolicyWeights
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import CredentialsError, LinkError, ProtocolError
from rtgym_ros.train.protocol.schema import SampleSchema, schema_from_bytes
from rtgym_ros.train.stream.connection import Connection, Outage, connected
from rtgym_ros.train.stream.event_loop import EventLoopThread, wait_for_event
from rtgym_ros.train.stream.key_value import KeyValue
from rtgym_ros.train.stream.names import PROGRESS, SCHEMA, bucket_stream, key_subject
from rtgym_ros.train.stream.provision import provision
from rtgym_ros.train.stream.sample_message import Bookmark, SampleBatch
from rtgym_ros.train.stream.sample_reader import SampleReader

_POLL_S = 0.02  # from one look at a stream without anything new to the next
_SCHEMA_POLL_S = 0.2
_MAX_BYTES = 16_000_000  # of samples that are fetched and not yet collected, about

_log = logging.getLogger(__name__)


class LearnerLink:
    """Fetches samples ahead and publishes weights, over connections that are made anew whenever one is lost.

    Of weights that could not be published only the newest are kept. It begins when it is made; :meth:`close` ends it.
    Waits are in seconds, and None waits for ever. An error that no new connection repairs comes out of the next one: a
    CredentialsError where credentials are missing or readable by others, a ProtocolError where what the server says
    cannot be understood.

    Args:
        config: of the run.
        bookmark: behind which to read.
        version: of the weights that this learner published last; -1 for none.
        schema: of the samples; None takes that of the robot which came last.
        next_seq: as of :class:`SampleReader`.

    Attributes:
        version: the newest version of the weights that is known to be published.
        counts: of what went wrong so far, as of :class:`SampleReader`.
    """

    def __init__(
        self,
        config: TrainConfig,
        bookmark: Bookmark | None = None,
        version: int = -1,
        schema: SampleSchema | None = None,
        next_seq: Mapping[tuple[str, str], int] | None = None,
    ) -> None:
        self._config = config
        self._reader = SampleReader(config.run, bookmark, next_seq)
        self._outage = Outage(_log)
        self._condition = threading.Condition()
        self._schema = schema
        self.version = version
        self.counts = self._reader.counts
        self._arrived: list[SampleBatch] = []
        self._caught_up = False
        self._weights: PolicyWeights | None = None
        self._progress: bytes | None = None
        self._error: Exception | None = None
        self._connected = False
        self._wake = asyncio.Event()
        self._thread = EventLoopThread("rtgym_ros learner", self._run())

    def collect(self, timeout_s: float | None = 0.0) -> list[SampleBatch]:
        """Return the batches that have come, oldest first; none where none come in time."""
        with self._condition:
            self._wait_for(lambda: self._arrived, timeout_s)
            arrived, self._arrived = self._arrived, []
        self._thread.call(self._wake.set)
        return arrived

    @property
    def has_caught_up(self) -> bool:
        """Whether the stream had nothing more at the last look, and all of it is collected."""
        with self._condition:
            return bool(self._wait_for(lambda: self._caught_up and not self._arrived, 0.0))

    def wait_until_connected(self, timeout_s: float) -> bool:
        """Wait for the first connection; return whether there is one."""
        with self._condition:
            return bool(self._wait_for(lambda: self._connected, timeout_s))

    def wait_for_schema(self, timeout_s: float | None) -> SampleSchema | None:
        """Return the schema of the run, None where it is not known in time."""
        with self._condition:
            self._wait_for(lambda: self._schema is not None, timeout_s)
            return self._schema

    def publish(self, weights: PolicyWeights) -> None:
        """Publish weights soon; their version is chosen then."""
        with self._condition:
            self._weights = weights
        self._thread.call(self._wake.set)

    def publish_progress(self, figures: dict[str, Any]) -> None:
        """Publish figures for who watches, soon."""
        with self._condition:
            self._progress = json.dumps(figures).encode()
        self._thread.call(self._wake.set)

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything is published; return whether it is."""
        with self._condition:
            return bool(self._wait_for(lambda: self._weights is None and self._progress is None, timeout_s))

    def close(self) -> None:
        """End the thread and the connection; a second call does nothing."""
        self._thread.close()

    def _wait_for(self, condition: Callable[[], Any], timeout_s: float | None) -> Any:
        """Wait, inside ``self._condition``, for what the thread does; raise the error that has ended it."""
        met = self._condition.wait_for(lambda: condition() or self._error, timeout_s)
        if self._error is not None:
            raise self._error
        return met

    async def _run(self) -> None:
        while True:
            try:
                async with connected(self._config, "trainer") as connection:
                    await self._serve(connection)
            except LinkError as error:
                await asyncio.sleep(self._outage.failed(f"the server: {error}"))
            except Exception as error:  # whoever calls next raises it
                if not isinstance(error, (CredentialsError, ProtocolError)):
                    _log.exception("the connection to the server failed")
                with self._condition:
                    self._error = error
                    self._condition.notify_all()
                return

    async def _serve(self, connection: Connection) -> None:
        keys = KeyValue(connection, self._config.run)
        await provision(connection, self._config, self._schema)
        known = await keys.get_weights()
        self.version = max(self.version, known.version if known else -1)
        with self._condition:
            self._connected = True
            self._condition.notify_all()
        agreed = False
        while True:
            self._outage.worked()
            self._wake.clear()
            await self._send(keys)
            if connection.lost.is_set():
                raise LinkError(connection.said or "the connection was lost")
            if not agreed and (agreed := await self._agree_on_schema(connection, keys)):
                await self._reader.verify(connection)
            if not agreed:
                await wait_for_event(self._wake, _SCHEMA_POLL_S)
            elif self._arrived or not await self._fetch(connection):
                await wait_for_event(self._wake, _POLL_S)

    async def _agree_on_schema(self, connection: Connection, keys: KeyValue) -> bool:
        """Publish what is expected, once a robot has said what its samples are; return whether one has."""
        if self._schema is None:
            newest = {"last_by_subj": key_subject(self._config.run, f"{SCHEMA}.*")}
            found = await connection.get(bucket_stream(self._config.run), request=newest)
            if found is None:
                return False
            schema = schema_from_bytes(found[1])
            await provision(connection, self._config, schema)
            with self._condition:
                self._schema = schema
                self._condition.notify_all()
        await keys.put(SCHEMA, self._schema.to_bytes())
        return True

    async def _fetch(self, connection: Connection) -> bool:
        """Fetch what is next; return whether there was something."""
        assert self._schema is not None
        before = self._reader.bookmark.position
        batches = await self._reader.read(connection, self._schema, _MAX_BYTES)
        found = self._reader.bookmark.position != before
        with self._condition:
            self._arrived += batches
            self._caught_up = not found
            self._condition.notify_all()
        return found

    async def _send(self, keys: KeyValue) -> None:
        with self._condition:
            weights, progress = self._weights, self._progress
        if weights is not None:
            version = self.version + 1
            await keys.put_weights(version, replace(weights, version=version).to_bytes())
            self.version = version
        if progress is not None:
            await keys.put(PROGRESS, progress)
        if weights is not None or progress is not None:
            with self._condition:
                self._weights = None if self._weights is weights else self._weights
                self._progress = None if self._progress is progress else self._progress
                self._condition.notify_all()
