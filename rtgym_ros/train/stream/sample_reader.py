"""Reads the stream from a position on, whatever happens to the server meanwhile.

It asks for batches of messages by sequence (NATS ADR-31): the server keeps no state about who reads, so any number of
learners read one stream, each at its own position.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress

from msgspec import structs
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from rtgym_ros.train.errors import LinkError, ProtocolError
from rtgym_ros.train.protocol.schema import SampleSchema
from rtgym_ros.train.stream.connection import PATIENCE_S, Connection
from rtgym_ros.train.stream.names import direct_get_subject, robot_of, sample_subject, stream_name
from rtgym_ros.train.stream.sample_message import BatchHeader, Bookmark, SampleBatch, read_header, read_records

_MESSAGES = 256  # that one request asks for at most
_MAX_BOOTS = 1024
"""Of which it is known how far they were read; beyond, the one that was silent for longest is forgotten."""

_log = logging.getLogger(__name__)


class SampleReader:
    """Reads each sample of a run once, those of one boot in order.

    It begins behind ``bookmark``; ``next_seq`` is, of each robot and boot, the first sample that was not read before.

    Attributes:
        bookmark: behind the last batch that was read.
        counts: of what went wrong, by name: ``evicted`` (messages that the stream no longer had), ``set_back`` (how
            often the stream was an older one), ``repeated`` (samples that came again and were left out), ``refused``
            (messages that were damaged or of another schema).
    """

    def __init__(
        self, run: str, bookmark: Bookmark | None = None, next_seq: Mapping[tuple[str, str], int] | None = None
    ) -> None:
        self._run = run
        self._stream = stream_name(run)
        self.bookmark = bookmark or Bookmark()
        self.counts = {"evicted": 0, "set_back": 0, "repeated": 0, "refused": 0}
        self._next_seq: OrderedDict[tuple[str, str], int] = OrderedDict(next_seq or {})
        self._strange: set[tuple[str, int]] = set()

    async def verify(self, connection: Connection) -> None:
        """Look whether the stream still is the one that was read; to be called with every new connection.

        Raises:
            LinkError: the server does not answer.
        """
        mark = self.bookmark
        if not mark.boot:
            return
        found = await connection.get(self._stream, request={"seq": mark.position})
        if found is None:
            everybody = sample_subject(self._run, "*")
            first = await connection.get(self._stream, request={"seq": 1, "next_by_subj": everybody})
            if first is not None and _sequence(first[0]) > mark.position:
                return  # evicted: how many of those behind it are gone is told when they are read
        else:
            with suppress(ProtocolError):
                if _bookmark(found[0], read_header(found[0])) == mark:
                    return
        self.counts["set_back"] += 1
        self.bookmark = Bookmark()
        _log.warning(
            "the stream was set back: at position %d there is not what was read there; it is read from its beginning, "
            "and what was read already is left out",
            mark.position,
        )

    async def read(self, connection: Connection, schema: SampleSchema, max_bytes: int) -> list[SampleBatch]:
        """Return the next batches, about ``max_bytes`` at most; none where there is nothing new.

        Raises:
            LinkError: the server does not answer.
        """
        messages = await self._get_batch(connection, self.bookmark.position + 1, max_bytes)
        batches = [self._batch(message, schema) for message in messages]
        return [batch for batch in batches if batch is not None]

    def _batch(self, message: Msg, schema: SampleSchema) -> SampleBatch | None:
        headers, header = message.headers or {}, None
        # The sequences of one stream have no gaps, except where retention has deleted from its beginning.
        gone = _sequence(headers) - self.bookmark.position - 1
        if gone > 0:
            self.counts["evicted"] += gone
            _log.warning("%d messages were deleted before they were read", gone)
        self.bookmark = _bookmark(headers)
        robot = self.bookmark.robot
        try:
            header = read_header(headers)
            self.bookmark = _bookmark(headers, header)
            records = read_records(header, message.data, schema)
        except ProtocolError as error:
            self._refuse(robot, header.schema if header else 0, error)
            return None
        known = self._next_seq.get((robot, header.boot), 0)
        repeated = min(max(known - header.first_seq, 0), header.count)
        self.counts["repeated"] += repeated
        if repeated == header.count:
            return None
        self._next_seq[robot, header.boot] = header.next_seq
        self._next_seq.move_to_end((robot, header.boot))
        if len(self._next_seq) > _MAX_BOOTS:
            self._next_seq.popitem(last=False)
        return SampleBatch(header, self.bookmark, records[repeated:])

    def _refuse(self, robot: str, digest: int, error: ProtocolError) -> None:
        self.counts["refused"] += 1
        if (robot, digest) not in self._strange:
            self._strange.add((robot, digest))
            _log.warning("what %s sends is not learned from: %s", robot, error)

    async def _get_batch(self, connection: Connection, first: int, max_bytes: int) -> list[Msg]:
        client = connection.client
        request = {"seq": first, "batch": _MESSAGES, "max_bytes": max_bytes,
                   "next_by_subj": sample_subject(self._run, "*")}  # fmt: skip
        inbox = client.new_inbox()
        try:
            replies = await client.subscribe(inbox)
            try:
                await client.publish(direct_get_subject(self._stream), json.dumps(request).encode(), reply=inbox)
                messages: list[Msg] = []
                while True:
                    message = await replies.next_msg(PATIENCE_S)
                    status = (message.headers or {}).get("Status")
                    if status is None:
                        messages.append(message)
                    elif status in ("204", "404"):  # the end of the batch; nothing there
                        return messages
                    else:
                        raise LinkError(f"{self._stream}: {(message.headers or {}).get('Description', status)}")
            finally:
                if client.is_connected:
                    await replies.unsubscribe()
        except (NatsError, asyncio.TimeoutError, OSError) as error:
            raise LinkError(connection.said or f"{self._stream}: {error or type(error).__name__}") from error


def _sequence(headers: Mapping[str, str]) -> int:
    return int(headers["Nats-Sequence"])


def _bookmark(headers: Mapping[str, str], header: BatchHeader | None = None) -> Bookmark:
    mark = Bookmark(position=_sequence(headers), robot=robot_of(headers["Nats-Subject"]))
    return structs.replace(mark, boot=header.boot, first_seq=header.first_seq) if header else mark
