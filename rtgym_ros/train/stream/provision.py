"""Makes the stream and the bucket of a run where they are missing, and adapts them to its configuration."""

from __future__ import annotations

from dataclasses import replace

from nats.errors import Error as NatsError
from nats.js.api import DiscardPolicy, KeyValueConfig, ObjectStoreConfig, Placement, StorageType, StreamConfig
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import LinkError
from rtgym_ros.train.protocol.schema import SampleSchema
from rtgym_ros.train.stream.connection import Connection
from rtgym_ros.train.stream.names import bucket_name, object_bucket_name, sample_subject, stream_name

_MESSAGE_BYTES = 400
"""What a message takes beside its samples: subject, headers, the file store's own."""
_SAMPLES_A_MESSAGE = 4
"""At least so many are reckoned for one message; at 20 Hz and a push every 0.5 s they are ten."""


async def provision(connection: Connection, config: TrainConfig, schema: SampleSchema | None = None) -> None:
    """Make what is missing; a learner's part.

    Args:
        connection: of a learner.
        config: of the run.
        schema: of the samples, once it is known: the stream then keeps ``trainer.memory_size`` of them.

    Raises:
        LinkError: the server does not answer, or cannot, for now.
    """
    context = connection.client.jetstream()
    server = config.server
    placement = Placement(cluster=server.placement_cluster, tags=list(server.placement_tags))
    where = {"num_replicas": server.replicas, "placement": placement if server.placement_cluster else None}
    wanted = StreamConfig(
        name=stream_name(config.run),
        subjects=[sample_subject(config.run, "*")],
        storage=StorageType.FILE,
        max_bytes=stream_bytes(config, schema),
        discard=DiscardPolicy.OLD,
        allow_direct=True,
        **where,  # type: ignore[arg-type]
    )
    try:
        try:
            found = (await context.stream_info(wanted.name or "")).config
            if schema is not None and found.max_bytes != wanted.max_bytes:
                await context.update_stream(replace(found, max_bytes=wanted.max_bytes))
        except NotFoundError:
            await context.add_stream(wanted)
        bucket = KeyValueConfig(bucket_name(config.run), history=1, direct=True, replicas=server.replicas)
        try:
            await context.stream_info(f"KV_{bucket.bucket}")
        except NotFoundError:
            await context.create_key_value(replace(bucket, placement=where["placement"]))  # type: ignore[arg-type]
        objects = object_bucket_name(config.run)
        try:
            await context.stream_info(f"OBJ_{objects}")
        except NotFoundError:
            await context.create_object_store(objects, ObjectStoreConfig(objects, replicas=server.replicas))
    except (NatsError, JetStreamError, OSError) as error:
        raise LinkError(f"stream {wanted.name}: {connection.said or error}") from error


def stream_bytes(config: TrainConfig, schema: SampleSchema | None) -> int:
    """Return how large the stream may become (bytes): the replay memory, or ``server.max_bytes`` if that is less."""
    if schema is None:
        return config.server.max_bytes
    sample = schema.dtype.itemsize + _MESSAGE_BYTES // _SAMPLES_A_MESSAGE
    return min(config.trainer.memory_size * sample + 64 * _MESSAGE_BYTES, config.server.max_bytes)
