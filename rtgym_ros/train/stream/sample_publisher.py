"""Appends the batches of one robot to the stream, each exactly once.

Every publish names the sequence of the last message on the robot's own subject
(``Nats-Expected-Last-Subject-Sequence``): the server takes it if nothing came in between. A publish whose
acknowledgement was lost is recognised afterwards, because the last message of the subject says which samples it holds.
"""

from __future__ import annotations

import msgspec

from rtgym_ros.train.errors import LinkError, RefusedError
from rtgym_ros.train.stream.connection import Connection
from rtgym_ros.train.stream.names import direct_get_subject, sample_subject, stream_name
from rtgym_ros.train.stream.sample_message import BatchHeader, read_header

_EXPECTED = "Nats-Expected-Last-Subject-Sequence"
_WRONG_LAST_SEQUENCE = 10071
_PATIENCE_S = 5.0


class _Error(msgspec.Struct):
    code: int = 0
    err_code: int = 0
    description: str = ""


class _Acknowledgement(msgspec.Struct):
    seq: int = 0
    error: _Error | None = None


class OutOfStepError(LinkError):
    """The subject does not end where this publisher believed: :meth:`SamplePublisher.last` tells where."""


class SamplePublisher:
    """Publishes on the subject of one robot.

    Args:
        connection: that the robot's identity opened.
        run: name of the run.
        robot: name of the robot.
    """

    def __init__(self, connection: Connection, run: str, robot: str) -> None:
        self._connection = connection
        self._subject = sample_subject(run, robot)
        self._last_subject = direct_get_subject(stream_name(run), self._subject)
        self._sequence = 0

    async def last(self) -> BatchHeader | None:
        """Return what the newest message of the subject says of itself, and go on behind it; None where there is none.

        Raises:
            LinkError: the server does not answer.
        """
        reply = await self._connection.request(self._last_subject, b"", _PATIENCE_S)
        headers = reply.headers or {}
        if headers.get("Status") == "404":
            self._sequence = 0
            return None
        if "Nats-Sequence" not in headers:
            raise LinkError(f"{self._subject}: {headers.get('Description', 'no message came')}")
        self._sequence = int(headers["Nats-Sequence"])
        return read_header(headers)

    async def publish(self, header: BatchHeader, payload: bytes) -> int:
        """Append a batch; return its position in the stream once it is on the server's disk.

        Raises:
            OutOfStepError: other messages came in between, or an acknowledgement was lost before.
            LinkError: no acknowledgement came: the batch may or may not be in the stream.
            RefusedError: the server refuses, for now.
        """
        headers = {**header.headers(), _EXPECTED: str(self._sequence)}
        reply = await self._connection.request(self._subject, payload, _PATIENCE_S, headers)
        try:
            acknowledgement = msgspec.json.decode(reply.data, type=_Acknowledgement)
        except msgspec.MsgspecError as error:
            raise LinkError(f"{self._subject}: not an acknowledgement of a stream") from error
        if acknowledgement.error is not None:
            if acknowledgement.error.err_code == _WRONG_LAST_SEQUENCE:
                raise OutOfStepError(acknowledgement.error.description)
            raise RefusedError(acknowledgement.error.description, retry=True)
        self._sequence = acknowledgement.seq
        return acknowledgement.seq
