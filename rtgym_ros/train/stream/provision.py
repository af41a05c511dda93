"""Makes the stream and the bucket of a run where they are missing, and adapts them to its configuration."""

from __future__ import annotations

import logging
from dataclasses import replace

from nats.errors import Error as NatsError
from nats.js.api import DiscardPolicy, KeyValueConfig, ObjectStoreConfig, Placement, StorageType, StreamConfig
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NotFoundError
from nats.js.errors import Error as JetStreamError

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import LinkError
from rtgym_ros.train.protocol.schema import SampleSchema
from rtgym_ros.train.stream.connection import Connection
from rtgym_ros.train.stream.names import bucket_name, bucket_stream, object_bucket_name, sample_subject, stream_name

_BESIDE_BYTES = 100  # what a sample takes besides: subject, headers and the file store's own are 400 a message
_AT_FIRST_BYTES = 256_000_000
"""Of the stream, until it is known how large a sample is: a server reserves as much of its disk."""
_LEAST_BYTES = 25_600
_NO_ROOM = 10047

_log = logging.getLogger(__name__)


async def provision(connection: Connection, config: TrainConfig, schema: SampleSchema | None = None) -> None:
    """Make what is missing, as a learner; once the schema is known the stream keeps ``trainer.memory_size`` samples.

    Raises:
        LinkError: the server does not answer, or cannot, for now.
    """
    context, run, server = connection.client.jetstream(), config.run, config.server
    chosen = Placement(cluster=server.placement_cluster, tags=list(server.placement_tags))
    placement = chosen if server.placement_cluster else None
    wanted = StreamConfig(
        name=stream_name(run),
        subjects=[sample_subject(run, "*")],
        storage=StorageType.FILE,
        max_bytes=_stream_bytes(config, schema),
        discard=DiscardPolicy.OLD,
        allow_direct=True,
        num_replicas=server.replicas,
        placement=placement,
    )
    bucket = KeyValueConfig(bucket_name(run), history=1, direct=True, replicas=server.replicas, placement=placement)
    objects = ObjectStoreConfig(object_bucket_name(run), replicas=server.replicas, placement=placement)
    try:
        found = await _existing(context, stream_name(run))
        if found is None:
            await context.add_stream(wanted)
        elif schema is not None and found.max_bytes != wanted.max_bytes:
            await _resize(context, found, wanted.max_bytes or 0)
        if await _existing(context, bucket_stream(run)) is None:
            await context.create_key_value(bucket)
        if await _existing(context, f"OBJ_{objects.bucket}") is None:
            await context.create_object_store(objects.bucket, objects)  # type: ignore[arg-type]
    except (NatsError, JetStreamError, OSError) as error:
        raise LinkError(f"stream {wanted.name}: {connection.said or error}") from error


async def _existing(context: JetStreamContext, stream: str) -> StreamConfig | None:
    try:
        return (await context.stream_info(stream)).config
    except NotFoundError:
        return None


async def _resize(context: JetStreamContext, stream: StreamConfig, max_bytes: int) -> None:
    try:
        await context.update_stream(replace(stream, max_bytes=max_bytes))
    except APIError as error:
        if error.err_code != _NO_ROOM:
            raise
        _log.warning(
            "the server has no room for %d bytes of samples, the stream keeps %d: lower trainer.memory_size or "
            "server.max_bytes, or free its disk", max_bytes, stream.max_bytes,
        )  # fmt: skip


def _stream_bytes(config: TrainConfig, schema: SampleSchema | None) -> int:
    """Return how large the stream may become (bytes): the replay memory, or ``server.max_bytes`` if that is less."""
    if schema is None:
        return min(_AT_FIRST_BYTES, config.server.max_bytes)
    sample = schema.dtype.itemsize + _BESIDE_BYTES
    return min(config.trainer.memory_size * sample + _LEAST_BYTES, config.server.max_bytes)
