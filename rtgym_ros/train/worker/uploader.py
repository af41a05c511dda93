"""Carries samples from the rings to the server, and weights back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from zlib import crc32

import numpy as np
from nats.aio.msg import Msg

from rtgym_ros.policies.weights import WeightsError
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import LinkError, OutOfStepError, ProtocolError, RefusedError
from rtgym_ros.train.protocol.schema import schema_from_bytes
from rtgym_ros.train.stream.connection import Connection, Outage, connected
from rtgym_ros.train.stream.event_loop import wait_for_event
from rtgym_ros.train.stream.key_value import KeyValue, Weights, weights_of
from rtgym_ros.train.stream.names import SCHEMA, WEIGHTS, key_subject
from rtgym_ros.train.stream.sample_message import HEADER_ROOM, BatchHeader, SamplePublisher
from rtgym_ros.train.worker.open_rings import OpenRings
from rtgym_ros.train.worker.sample_ring import RingReader

_MESSAGES_KEPT = 8  # into so many messages a full stream is cut at least: what is too old is deleted by the message
_LOOK_S = 0.05  # from one look into the rings to the next: that costs a few microseconds
_ASK_S = 10.0  # from one question for the newest weights to the next: what was published during a short outage
FIRST_BYTES, LARGEST_BYTES = 64_000, 4_000_000  # of a message; the server's ``max_payload`` may be less
QUICK_S = 1.0  # a message grows no further where its answer takes longer (s): the server gets only so long to answer

_log = logging.getLogger(__name__)


def next_limit(limit: int, was_full: bool, answer_s: float) -> int:
    """Return what the next message may hold (bytes): twice as much after a full one that was answered soon.

    The server writes each message to its disk before it answers, and that takes hardly longer for a large one.
    """
    return min(2 * limit, LARGEST_BYTES) if was_full and answer_s < QUICK_S else limit


class Uploader:
    """Publishes what is in the rings in a worker's folder, the oldest first. What is not acknowledged stays there.

    One message is under way at a time; while samples come faster than that goes, messages grow. ``beat`` is called
    about as often as work is done.
    """

    def __init__(self, config: TrainConfig, name: str, folder: Path, beat: Callable[[], None] = lambda: None) -> None:
        self._config, self._name, self._beat = config, name, beat
        self._rings = OpenRings(folder, config.worker.history_interval)
        self._outage = Outage(_log)
        self._published: dict[str, tuple[int, int]] = {}  # of each boot: from where to where this process published
        self._described: set[int] = set()
        self._lost = 0
        self._limit = FIRST_BYTES
        self._most_samples = config.trainer.memory_size // _MESSAGES_KEPT
        self._next_push_s = monotonic()
        self._deadline_s: float | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until ``stop`` is set, then, for a bounded time, what is left.

        Raises:
            RefusedError: the server can never take such samples.
            CredentialsError: credentials are missing or readable by others.
        """
        while True:
            self._beat()
            try:
                async with connected(self._config, "worker", self._name) as connection:
                    await self._serve(connection, stop)
                return
            except (LinkError, ProtocolError) as error:
                pause_s = self._outage.failed(f"the server cannot be reached: {error}")
            self._rings.look()
            if self._is_over(stop):
                return
            if stop.is_set():
                await asyncio.sleep(pause_s)
            else:
                await wait_for_event(stop, pause_s)

    def close(self) -> None:
        """Close the rings; a second call does nothing."""
        self._rings.close()

    async def _serve(self, connection: Connection, stop: asyncio.Event) -> None:
        """Publish over one connection, until it is lost or everything is done."""
        run, worker = self._config.run, self._config.worker
        keys, publisher = KeyValue(connection, run), SamplePublisher(connection, run, self._name)
        news = asyncio.Event()
        newest: list[Weights] = []

        async def on_weights(message: Msg) -> None:
            newest[:] = [weights_of(message.headers, message.data)]
            news.set()

        await connection.client.subscribe(key_subject(run, WEIGHTS), cb=on_weights)
        self._described.clear()
        self._limit = FIRST_BYTES  # small again with every connection
        self._rings.look()
        self._recover(await publisher.last())
        ask_s = monotonic()
        while not connection.lost.is_set():
            self._beat()
            if monotonic() >= ask_s:
                found = await keys.get_weights()
                newest, ask_s = [found] if found else newest, monotonic() + _ASK_S
            while newest:
                await self._take_weights(keys, newest.pop())
            unread = self._rings.look()
            if self._is_over(stop):
                return
            wait_s = self._next_push_s - monotonic()
            if unread and (stop.is_set() or wait_s <= 0 or self._have_many(worker.push_samples)):
                self._next_push_s = monotonic() + worker.push_interval
                await self._push(connection, keys, publisher)
                continue
            if not unread:
                self._outage.worked()
            news.clear()
            await wait_for_event(news, min(wait_s, _LOOK_S) if unread else _LOOK_S)
        raise LinkError(connection.said or "the connection was lost")

    def _is_over(self, stop: asyncio.Event) -> bool:
        """Whether it is time to end: all is published, or there was time enough for it."""
        if not stop.is_set():
            return False
        self._deadline_s = self._deadline_s or monotonic() + self._config.worker.drain_timeout
        unread = self._rings.unread
        if unread and monotonic() < self._deadline_s:
            return False
        if unread:
            _log.warning("%d samples are left: they are sent when the worker starts again", unread)
        return True

    def _have_many(self, samples: int) -> bool:
        """Whether a ring holds so many samples, or all that a message may hold."""
        return any(
            ring.unread >= min(samples, LARGEST_BYTES / ring.schema.dtype.itemsize)
            for ring in self._rings.oldest_first()
        )

    async def _push(self, connection: Connection, keys: KeyValue, publisher: SamplePublisher) -> None:
        """Publish one batch of the oldest ring that has some.

        Strictly in this order: so the last message of the subject tells everything about a lost acknowledgement.
        """
        for ring in self._rings.oldest_first():
            room = connection.client.max_payload - HEADER_ROOM
            size = ring.schema.dtype.itemsize
            if size > room:
                raise RefusedError(
                    f"one sample has {size} bytes, and a message of this server holds {room} "
                    f"(max_payload {connection.client.max_payload}): raise server.max_payload or send less"
                )
            most = max(min(min(self._limit, room) // size, self._most_samples), 1)
            first_seq, records = ring.read(most)
            if not len(records):
                continue
            await self._describe(keys, ring)
            payload = records.view(np.uint8).data
            header = BatchHeader(
                boot=ring.boot,
                first_seq=first_seq,
                count=len(records),
                crc=crc32(payload),
                schema=ring.schema.digest,
                dropped=ring.dropped_before(first_seq),
                refused=ring.refused,
                unread=ring.unread - len(records),
                version=self._rings.version,
                lost=self._lost,
            )
            began_s = monotonic()
            try:
                await publisher.publish(header, payload)
            except OutOfStepError:
                self._recover(await publisher.last())
                return
            self._acknowledge(ring, header)
            self._outage.worked()  # and not before: a server whose disk is full lets everybody in
            self._limit = next_limit(self._limit, len(records) == most, monotonic() - began_s)
            return

    def _acknowledge(self, ring: RingReader, header: BatchHeader) -> None:
        first, _ = self._published.get(ring.boot, (header.first_seq, 0))
        self._published[ring.boot] = first, header.next_seq
        ring.acknowledge(header.next_seq, header.first_seq)

    def _recover(self, header: BatchHeader | None) -> None:
        """Go on behind the newest message of the subject, whoever sent it."""
        gone = self._rings.vanished(header.boot, header.next_seq) if header else self._rings.vanished("", 0)
        if gone:
            self._lost += gone
            _log.warning("at least %d samples are lost: the robot's memory was switched off with them", gone)
        if header is None:
            return
        for ring in self._rings.oldest_first():
            if ring.boot == header.boot and header.next_seq > ring.acknowledged:  # its acknowledgement was lost
                self._acknowledge(ring, header)
        lost = 0
        for boot, (first, end) in self._published.items():  # boots are named so that their names sort by age
            kept = header.next_seq if boot == header.boot else 0 if boot > header.boot else end
            kept = min(max(kept, first), end)
            lost += end - kept
            self._published[boot] = kept, kept
        if lost:
            self._lost += lost
            _log.warning("the server has lost %d samples that it had acknowledged", lost)

    async def _describe(self, keys: KeyValue, ring: RingReader) -> None:
        """Publish the schema of the samples, once a connection, and tell where a learner expects another one."""
        schema = ring.schema
        if schema.digest in self._described:
            return
        await keys.put(f"{SCHEMA}.{self._name}", schema.to_bytes())
        self._described.add(schema.digest)
        expected = await keys.get(SCHEMA)
        if expected is None:
            return
        with suppress(ProtocolError):
            differences = schema_from_bytes(expected[1]).differences(schema, "at the trainer", "here")
            if differences:
                _log.error("the trainer does not learn from these samples: %s", "; ".join(differences))

    async def _take_weights(self, keys: KeyValue, weights: Weights) -> None:
        if weights.version == self._rings.version:
            return
        data = await keys.fetch(weights)
        try:
            self._rings.put_weights(weights.version, data)
        except WeightsError as error:
            _log.error("weights %d are not used: %s", weights.version, error)
