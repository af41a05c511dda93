"""The messages, as MessagePack maps with the name of their class in ``type``.

`docs/distant_training.md` describes them. A request is answered by its reply, or by :class:`Refused`. Nothing here is
ever unpickled.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.protocol.schema import SampleSchema

PROTOCOL_VERSION = 1

Count = Annotated[int, msgspec.Meta(ge=0)]
Version = Annotated[int, msgspec.Meta(ge=-1)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """Base: a map with ``type``."""


class Push(_Message, frozen=True, kw_only=True):
    """Samples of a worker, or none: then it asks for weights and says that it is there.

    Attributes:
        worker: name of the worker.
        boot: of its control process; sequence numbers begin at 0 in each.
        first_seq: number of the first sample here.
        count: how many there are, numbered without gaps.
        dropped: how many samples of this boot were given up so far, because the buffer was full.
        have_version: of the newest weights the worker has; -1 for none.
        schema: of the samples.
        columns: stacked arrays, a column each.
        protocol: :data:`PROTOCOL_VERSION`.
    """

    worker: Name
    boot: Name
    first_seq: Count
    count: Count
    dropped: Count = 0
    have_version: Version = -1
    schema: SampleSchema
    columns: dict[str, bytes]
    protocol: int = PROTOCOL_VERSION


class Pushed(_Message, frozen=True, kw_only=True):
    """Everything below ``next_seq`` is on the server's disk (or was given up by the worker itself).

    Attributes:
        next_seq: the first sample of this boot that the server has not got.
        version: of the newest weights there are; -1 for none.
        weights: those weights, where the worker has older ones.
    """

    next_seq: Count
    version: Version
    weights: bytes | None = None


class Take(_Message, frozen=True, kw_only=True):
    """The trainer asks for samples.

    Attributes:
        trainer: who asks; there is one.
        schema: what it expects of samples; None as long as it does not know, and asks for :attr:`Taken.schema`.
        position: of the first sample it has not got.
        max_bytes: about how much it wants at most.
        protocol: :data:`PROTOCOL_VERSION`.
    """

    trainer: Name
    schema: SampleSchema | None = None
    position: Count
    max_bytes: Count = 16_000_000
    protocol: int = PROTOCOL_VERSION


class Batch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Samples that came together.

    Attributes:
        position: of the first one among all samples that the server ever took in.
        worker: whose they are.
        boot: of its control process.
        first_seq: number of the first one in that boot.
        count: how many there are.
        columns: stacked arrays.
    """

    position: Count
    worker: Name
    boot: Name
    first_seq: Count
    count: Count
    columns: dict[str, bytes]


class Taken(_Message, frozen=True, kw_only=True):
    """Samples in the order in which they came in.

    Attributes:
        batches: those from the asked position on, without gaps; empty where there is nothing new.
        end: the position behind the newest sample that the server has.
        version: of the newest weights that were published; -1 for none.
        schema: of the samples of this run; None while nobody has pushed.
    """

    batches: list[Batch]
    end: Count
    version: Version
    schema: SampleSchema | None = None


class Release(_Message, frozen=True, kw_only=True):
    """The trainer has what is below ``position`` in a checkpoint: the server may forget it."""

    trainer: Name
    position: Count
    protocol: int = PROTOCOL_VERSION


class Released(_Message, frozen=True, kw_only=True):
    """Done."""


class Publish(_Message, frozen=True, kw_only=True):
    """New weights for every worker.

    Attributes:
        trainer: who publishes; there is one.
        version: greater than every version published before.
        weights: a policy file (:mod:`rtgym_ros.train.policy.policy_file`).
        protocol: :data:`PROTOCOL_VERSION`.
    """

    trainer: Name
    version: Count
    weights: bytes
    protocol: int = PROTOCOL_VERSION


class Published(_Message, frozen=True, kw_only=True):
    """Done."""


class AskStatus(_Message, frozen=True, kw_only=True):
    """How is it going?"""

    protocol: int = PROTOCOL_VERSION


class WorkerStatus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One worker, as the server knows it.

    Attributes:
        worker: its name.
        boots: how often its control process started.
        samples: taken in.
        dropped: given up by the worker because its buffer was full.
        duplicates: that came again and were not counted again.
        have_version: of its weights.
        seen_s_ago: since it was last heard of (s).
    """

    worker: str
    boots: int
    samples: int
    dropped: int
    duplicates: int
    have_version: int
    seen_s_ago: float


class Status(_Message, frozen=True, kw_only=True):
    """The server's figures.

    Attributes:
        samples: ever taken in.
        queued: of them, not yet released by the trainer.
        queued_bytes: what those take on disk.
        version: of the newest weights.
        workers: one each.
        trainer: who holds that role; None for nobody.
    """

    samples: int
    queued: int
    queued_bytes: int
    version: int
    workers: list[WorkerStatus]
    trainer: str | None


class Refused(_Message, frozen=True, kw_only=True):
    """The request was understood and not done.

    Attributes:
        reason: one line.
        retry: whether it may be accepted later.
    """

    reason: str
    retry: bool = False


Request = Push | Take | Release | Publish | AskStatus
Reply = Pushed | Taken | Released | Published | Status | Refused

_encoder = msgspec.msgpack.Encoder()
_request_decoder = msgspec.msgpack.Decoder(Request)
_reply_decoder = msgspec.msgpack.Decoder(Reply)


def encode(message: Request | Reply) -> bytes:
    """Return a message as MessagePack."""
    return _encoder.encode(message)


def decode_request(data: bytes) -> Request:
    """Return the request in ``data``.

    Raises:
        ProtocolError: it is none, or of another version of the protocol.
    """
    try:
        request: Request = _request_decoder.decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ProtocolError(f"not a request of protocol {PROTOCOL_VERSION}: {error}") from error
    if request.protocol != PROTOCOL_VERSION:
        raise ProtocolError(f"protocol version {request.protocol} there, {PROTOCOL_VERSION} here")
    return request


def decode_reply(data: bytes) -> Reply:
    """Return the reply in ``data``.

    Raises:
        ProtocolError: it is none.
    """
    try:
        reply: Reply = _reply_decoder.decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ProtocolError(f"not a reply of protocol {PROTOCOL_VERSION}: {error}") from error
    return reply
