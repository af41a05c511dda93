"""Carries samples from the rings to the server, and weights back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from nats.aio.msg import Msg

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import LinkError, OutOfStepError, ProtocolError, RefusedError
from rtgym_ros.train.protocol.schema import schema_from_bytes
from rtgym_ros.train.stream.connection import Connection, connected
from rtgym_ros.train.stream.event_loop import wait_for_event
from rtgym_ros.train.stream.key_value import KeyValue, Weights, weights_of
from rtgym_ros.train.stream.names import SCHEMA, WEIGHTS, key_subject
from rtgym_ros.train.stream.outage import Outage
from rtgym_ros.train.stream.sample_message import HEADER_ROOM, BatchHeader, checksum
from rtgym_ros.train.stream.sample_publisher import SamplePublisher
from rtgym_ros.train.worker.message_size import LARGEST_BYTES, MessageSize
from rtgym_ros.train.worker.open_rings import OpenRings
from rtgym_ros.train.worker.sample_ring import RingReader
from rtgym_ros.train.worker.weights_outbox import WeightsOutbox

_MESSAGES_KEPT = 8
"""Into so many messages a full stream is cut at least: what is too old is deleted by the message."""
_LOOK_S = 0.05
"""From one look into the rings to the next: that costs a few microseconds."""
_NOTE_S = 2.0
"""From one note of what is in the rings to the next: a line in a file, of which a power cut takes the last seconds."""
_ASK_S = 10.0
"""From one question for the newest weights to the next: what was published during a short outage."""

_log = logging.getLogger(__name__)


class Uploader:
    """Publishes what is in the rings, the oldest first. What is not acknowledged stays in its ring.

    One message is under way at a time; while samples come faster than that goes, messages grow.

    Args:
        config: of the run.
        name: of the robot.
        folder: of the worker.
        beat: called about as often as work is done.
        now_s: a monotonic clock (s).
    """

    def __init__(
        self,
        config: TrainConfig,
        name: str,
        folder: Path,
        beat: Callable[[], None] = lambda: None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._name = name
        self._beat = beat
        self._now_s = now_s
        self._rings = OpenRings(folder)
        self._weights = WeightsOutbox(folder, config.worker.history_interval)
        self._outage = Outage(_log, now_s)
        self._published: dict[str, tuple[int, int]] = {}  # of each boot: from where to where this process published
        self._described: set[int] = set()
        self._lost = 0
        self._size = MessageSize()
        self._most_samples = config.trainer.memory_size // _MESSAGES_KEPT
        self._next_push_s = self._next_note_s = now_s()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until ``stop`` is set, then, for a bounded time, what is left.

        Raises:
            RefusedError: the server can never take such samples.
            CredentialsError: credentials are missing or readable by others.
        """
        deadline_s: float | None = None
        while True:
            try:
                async with connected(self._config.url("worker"), self._config, "worker", self._name) as connection:
                    await self._serve(connection, stop)
                return
            except (LinkError, ProtocolError, RefusedError) as error:
                if isinstance(error, RefusedError) and not error.retry:
                    raise
                pause_s = self._outage.failed(f"the server cannot be reached: {error}")
            if stop.is_set():
                deadline_s = deadline_s or self._now_s() + self._config.worker.drain_timeout
                if not self._look() or self._now_s() >= deadline_s:
                    self._give_up()
                    return
                await asyncio.sleep(pause_s)
            else:
                self._look()
                await self._wait(stop, pause_s)

    def close(self) -> None:
        """Close the rings; a second call does nothing."""
        self._rings.close()

    async def _serve(self, connection: Connection, stop: asyncio.Event) -> None:
        """Publish over one connection, until it is lost or everything is done."""
        run = self._config.run
        keys, publisher = KeyValue(connection, run), SamplePublisher(connection, run, self._name)
        news = asyncio.Event()
        newest: list[Weights] = []

        async def on_weights(message: Msg) -> None:
            newest[:] = [weights_of(message.headers, message.data)]
            news.set()

        await connection.client.subscribe(key_subject(run, WEIGHTS), cb=on_weights)
        self._described.clear()
        self._size.begin()
        self._look()
        self._recover(await publisher.last())
        ask_s = self._now_s()
        deadline_s: float | None = None
        while not connection.lost.is_set():
            self._beat()
            if self._now_s() >= ask_s:
                found = await keys.get_weights()
                newest, ask_s = [found] if found else newest, self._now_s() + _ASK_S
            while newest:
                await self._take_weights(keys, newest.pop())
            unread = self._look()
            if stop.is_set():
                deadline_s = deadline_s or self._now_s() + self._config.worker.drain_timeout
                if not unread or self._now_s() >= deadline_s:
                    self._give_up()
                    return
            if unread and (stop.is_set() or self._is_due()):
                self._next_push_s = self._now_s() + self._config.worker.push_interval
                await self._push(connection, keys, publisher)
            elif not stop.is_set():
                until_push_s = max(self._next_push_s - self._now_s(), 0.001) if unread else _LOOK_S
                if not unread:
                    self._outage.worked()
                news.clear()
                await self._wait(stop, min(until_push_s, _LOOK_S), news)
        raise LinkError(connection.said or "the connection was lost")

    def _is_due(self) -> bool:
        return self._now_s() >= self._next_push_s or self._rings.have(self._config.worker.push_samples, LARGEST_BYTES)

    async def _push(self, connection: Connection, keys: KeyValue, publisher: SamplePublisher) -> None:
        """Publish one batch of the oldest ring that has some.

        Strictly in this order: so the last message of the subject tells everything about a lost acknowledgement.
        """
        for _, ring in self._rings.oldest_first():
            room = connection.client.max_payload - HEADER_ROOM
            size = ring.schema.dtype.itemsize
            if size > room:
                raise RefusedError(
                    f"one sample has {size} bytes, and a message of this server holds {room} "
                    f"(max_payload {connection.client.max_payload}): raise server.max_payload or send less"
                )
            most = max(min(min(self._size.limit, room) // size, self._most_samples), 1)
            first_seq, records = ring.read(most)
            if not len(records):
                continue
            await self._describe(keys, ring)
            payload = records.view(np.uint8).data
            header = BatchHeader(
                boot=ring.boot,
                first_seq=first_seq,
                count=len(records),
                crc=checksum(payload),
                schema=ring.schema.digest,
                dropped=ring.dropped_before(first_seq),
                refused=ring.refused,
                unread=ring.unread - len(records),
                version=self._weights.version,
                lost=self._lost,
            )
            began_s = self._now_s()
            try:
                await publisher.publish(header, payload)
            except OutOfStepError:
                self._recover(await publisher.last())
                return
            self._note(ring.boot, first_seq, header.next_seq)
            ring.acknowledge(header.next_seq, first_seq)
            self._outage.worked()  # and not before: a server whose disk is full lets everybody in
            self._size.answered(len(records) == most, self._now_s() - began_s)
            return

    def _note(self, boot: str, first_seq: int, next_seq: int) -> None:
        first, _ = self._published.get(boot, (first_seq, 0))
        self._published[boot] = first, next_seq

    def _recover(self, header: BatchHeader | None) -> None:
        """Go on behind the newest message of the subject, whoever sent it."""
        gone = self._rings.vanished(header.boot, header.next_seq) if header else self._rings.vanished("", 0)
        if gone:
            self._lost += gone
            _log.warning("at least %d samples are lost: the robot's memory was switched off with them", gone)
        if header is None:
            return
        ring = self._rings.find(header.boot)
        if ring is not None and header.next_seq > ring.acknowledged:  # its acknowledgement was lost
            self._note(header.boot, header.first_seq, header.next_seq)
            ring.acknowledge(header.next_seq, header.first_seq)
        lost = 0
        for boot, (first, end) in self._published.items():  # boots are named so that their names sort by age
            kept = header.next_seq if boot == header.boot else 0 if boot > header.boot else end
            lost += max(end - max(kept, first), 0)
            self._published[boot] = min(max(kept, first), end), min(max(kept, first), end)
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
        if weights.version == self._weights.version:
            return
        data = await keys.fetch(weights)
        try:
            self._weights.put(weights.version, data)
        except ProtocolError as error:
            _log.error("weights %d are not used: %s", weights.version, error)
            return
        except OSError as error:
            _log.warning("weights %d are not kept for the next start: %s", weights.version, error)
        self._rings.put_weights(self._weights)

    def _look(self) -> int:
        """Return how many samples wait; rings that are done with are removed."""
        if self._now_s() >= self._next_note_s:
            self._next_note_s = self._now_s() + _NOTE_S
            self._rings.note_written()
        self._rings.look(self._weights)
        return self._rings.unread

    def _give_up(self) -> None:
        if self._rings.unread:
            _log.warning("%d samples are left: they are sent when the worker starts again", self._rings.unread)

    async def _wait(self, stop: asyncio.Event, seconds: float, news: asyncio.Event | None = None) -> None:
        """Wait for the time to pass or an event, with heartbeats."""
        until_s = self._now_s() + seconds
        while (left_s := until_s - self._now_s()) > 0 and not stop.is_set() and not (news and news.is_set()):
            self._beat()
            await wait_for_event(news or stop, min(left_s, _LOOK_S))
