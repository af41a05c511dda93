"""Appends the batches of one robot to the stream, each exactly once.

Every publish names the sequence of the last message on the robot's own subject
(``Nats-Expected-Last-Subject-Sequence``): the server takes it if nothing came in between. A publish whose
acknowledgement was lost is recognised afterwards, because the last message of the subject says which samples it holds.
"""

from __future__ import annotations

from rtgym_ros.train.stream.connection import Connection
from rtgym_ros.train.stream.names import sample_subject, stream_name
from rtgym_ros.train.stream.sample_message import BatchHeader, read_header

_EXPECTED = "Nats-Expected-Last-Subject-Sequence"


class SamplePublisher:
    """Publishes on the subject of one robot, over a connection of its identity."""

    def __init__(self, connection: Connection, run: str, robot: str) -> None:
        self._connection = connection
        self._stream, self._subject = stream_name(run), sample_subject(run, robot)
        self._sequence = 0

    async def last(self) -> BatchHeader | None:
        """Return what the newest message of the subject says of itself, and go on behind it; None where there is none.

        Raises:
            LinkError: the server does not answer.
        """
        found = await self._connection.get(self._stream, self._subject)
        self._sequence = int(found[0]["Nats-Sequence"]) if found else 0
        return read_header(found[0]) if found else None

    async def publish(self, header: BatchHeader, payload: bytes | memoryview) -> int:
        """Append a batch; return its position in the stream once it is on the server's disk.

        Raises:
            OutOfStepError: the subject does not end where it was believed; :meth:`last` tells where.
            LinkError: no acknowledgement came: the batch may or may not be in the stream.
            RefusedError: the server refuses, for now.
        """
        headers = {**header.headers(), _EXPECTED: str(self._sequence)}
        self._sequence = await self._connection.append(self._subject, payload, headers)
        return self._sequence
