"""The keys of a run: the newest weights, the schema, the learner's figures. Late joiners read the newest value."""

from __future__ import annotations

import msgspec
from nats.errors import Error as NatsError
from nats.js.api import ObjectMeta, ObjectMetaOptions
from nats.js.errors import Error as JetStreamError
from nats.js.object_store import ObjectStore

from rtgym_ros.train.errors import LinkError
from rtgym_ros.train.stream.connection import Connection
from rtgym_ros.train.stream.names import WEIGHTS, bucket_stream, key_subject, object_bucket_name
from rtgym_ros.train.stream.sample_message import HEADER_ROOM

VERSION_HEADER = "Rtgym-Version"
OBJECT_HEADER = "Rtgym-Object"
"""Name of the object that holds the weights, where they are too large for one message."""
_CHUNK = 1_000_000  # bytes of an object in one message, if the server takes so many


class Weights(msgspec.Struct, frozen=True):
    """What stands under the key of the weights: a policy file, or the name of the object that holds it."""

    version: int
    data: bytes
    object: str = ""


class KeyValue:
    """Reads and writes keys of one run; every method raises a LinkError where the server does not answer."""

    def __init__(self, connection: Connection, run: str) -> None:
        self._connection = connection
        self._run = run

    async def get(self, key: str) -> tuple[dict[str, str], bytes] | None:
        """Return headers and value of a key; None where it has none."""
        return await self._connection.get(bucket_stream(self._run), key_subject(self._run, key))

    async def put(self, key: str, value: bytes, headers: dict[str, str] | None = None) -> None:
        """Write a key; errors as in :meth:`Connection.append`."""
        await self._connection.append(key_subject(self._run, key), value, headers)

    async def get_weights(self) -> Weights | None:
        """Return the newest weights; None where there are none."""
        found = await self.get(WEIGHTS)
        return None if found is None else weights_of(*found)

    async def put_weights(self, version: int, data: bytes) -> None:
        """Publish weights; those that are too large for one message become an object first."""
        headers = {VERSION_HEADER: str(version)}
        room = self._connection.client.max_payload - HEADER_ROOM
        if len(data) > room:
            # Two names in turn: who is reading one is not disturbed by the next.
            name = f"policy-{version % 2}"
            try:
                store = await self._store()
                chunks = ObjectMetaOptions(max_chunk_size=min(room, _CHUNK))
                await store.put(name, data, ObjectMeta(name=name, options=chunks))
            except (NatsError, JetStreamError, OSError) as error:
                raise LinkError(f"weights of {len(data)} bytes: {error}") from error
            headers[OBJECT_HEADER], data = name, b""
        await self.put(WEIGHTS, data, headers)

    async def fetch(self, weights: Weights) -> bytes:
        """Return the policy file of weights, wherever it is."""
        if not weights.object:
            return weights.data
        try:
            found = await (await self._store()).get(weights.object)
        except (NatsError, JetStreamError, OSError) as error:
            raise LinkError(f"weights {weights.version}: {error}") from error
        return found.data or b""

    async def _store(self) -> ObjectStore:
        return await self._connection.client.jetstream().object_store(object_bucket_name(self._run))


def weights_of(headers: dict[str, str] | None, data: bytes) -> Weights:
    """Return what a message under the key of the weights holds."""
    headers = headers or {}
    return Weights(int(headers.get(VERSION_HEADER, "-1")), data, headers.get(OBJECT_HEADER, ""))
