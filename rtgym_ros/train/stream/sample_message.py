"""A batch of samples as one message: what it is in a header, the records as they stand in memory as its payload."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.protocol.schema import SampleSchema
from rtgym_ros.train.stream.connection import Connection
from rtgym_ros.train.stream.names import Name, sample_subject, stream_name

BATCH_HEADER = "Rtgym-Batch"
"""Name of the NATS header, whose value is JSON."""
_EXPECTED = "Nats-Expected-Last-Subject-Sequence"
HEADER_ROOM = 4096
"""Bytes of a message that its headers may take."""
FORMAT = 1


class BatchHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch is. Unknown entries are ignored, so that later versions may add some.

    What each of them is stands in ``docs/distant_training.md``, which a test holds to this class.
    """

    boot: Name
    first_seq: int
    count: int
    crc: int
    schema: int
    dropped: int = 0
    refused: int = 0
    unread: int = 0
    version: int = -1
    lost: int = 0
    format: int = FORMAT

    @property
    def next_seq(self) -> int:
        """Return the number of the sample behind this batch."""
        return self.first_seq + self.count

    def headers(self) -> dict[str, str]:
        """Return it as NATS headers."""
        return {BATCH_HEADER: msgspec.json.encode(self).decode()}


_decoder = msgspec.json.Decoder(BatchHeader)


class Bookmark(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a stream, and what the message there was: so a stream that was set back is recognised.

    Attributes:
        position: sequence of the last message that was read; 0 for none.
        robot: whose it was.
        boot: of its control process.
        first_seq: of its first sample.
    """

    position: int = 0
    robot: str = ""
    boot: str = ""
    first_seq: int = -1


@dataclass(frozen=True)
class SampleBatch:
    """Samples of one robot that came together.

    Attributes:
        header: what it says of itself.
        bookmark: behind it.
        records: of the schema, shape (n,), read-only; those that came before are left out.
    """

    header: BatchHeader
    bookmark: Bookmark
    records: np.ndarray

    @property
    def robot(self) -> str:
        """Return whose they are."""
        return self.bookmark.robot

    @property
    def boot(self) -> str:
        """Return the boot of the control process."""
        return self.header.boot


def read_header(headers: Mapping[str, str] | None) -> BatchHeader:
    """Return what a batch says of itself.

    Raises:
        ProtocolError: the message is no batch of samples, or of another format.
    """
    try:
        header = _decoder.decode((headers or {})[BATCH_HEADER])
    except (KeyError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ProtocolError(f"not a batch of samples: {error}") from error
    if header.format != FORMAT:
        raise ProtocolError(f"a batch of format {header.format}, and {FORMAT} is read here")
    if header.count < 0 or header.first_seq < 0:
        raise ProtocolError(f"a batch of {header.count} samples from {header.first_seq} on")
    return header


def read_records(header: BatchHeader, payload: bytes, schema: SampleSchema) -> np.ndarray:
    """Return the records of a batch, shape (header.count,), without a copy.

    Raises:
        ProtocolError: they are damaged, or of another schema.
    """
    if header.schema != schema.digest:
        raise ProtocolError(f"samples of schema {header.schema:08x}, and {schema.digest:08x} is expected")
    size = header.count * schema.dtype.itemsize
    if len(payload) != size:
        raise ProtocolError(f"{len(payload)} bytes; {header.count} samples have {size}")
    if zlib.crc32(payload) != header.crc:
        raise ProtocolError("the checksum of the samples is wrong")
    return np.frombuffer(payload, schema.dtype)


class SamplePublisher:
    """Appends the batches of one robot to the stream, each exactly once, over a connection of its identity.

    Every publish names the sequence of the last message on the robot's own subject: the server takes it if nothing came
    in between. A publish whose acknowledgement was lost is recognised afterwards, because the last message of the
    subject says which samples it holds.
    """

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
            LinkError: as of :meth:`Connection.append`.
        """
        headers = {**header.headers(), _EXPECTED: str(self._sequence)}
        self._sequence = await self._connection.append(self._subject, payload, headers)
        return self._sequence
