"""One MCAP file of time-steps that is being written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mcap.writer import CompressionType, Writer

from rtgym_ros.record.schema import SCHEMA_ENCODING, SCHEMA_NAME, SCHEMA_TEXT

TOPIC = "/time_step"
RUN_RECORD = "rtgym_ros"
EPISODE_RECORD = "episode"
LABEL_RECORD = "label"
_CHUNK_BYTES = 1 << 20  # larger ones hold up other threads for longer; flush() ends smaller ones
# With it `ros2 bag play` offers the topic as env_node does.
_QOS = "- history: 1\n  depth: 10\n  reliability: 1\n  durability: 2\n"


class McapFile:
    """Writes time-steps, already serialised, compressed by zstd; what was flushed survives the end of the process.

    Args:
        path: a file that must not exist.
        run: the metadata of the run (see :func:`~rtgym_ros.record.run_facts.run_facts`).

    Raises:
        OSError: the file cannot be written; every method raises it too.
    """

    def __init__(self, path: Path, run: Mapping[str, str]) -> None:
        self.path = path
        self._stream = path.open("xb")
        try:
            self._writer = Writer(self._stream, chunk_size=_CHUNK_BYTES, compression=CompressionType.ZSTD)
            self._writer.start(profile="ros2", library="rtgym_ros")
            self._writer.add_metadata(RUN_RECORD, dict(run))
            schema = self._writer.register_schema(SCHEMA_NAME, SCHEMA_ENCODING, SCHEMA_TEXT.encode())
            channel_facts = {"offered_qos_profiles": _QOS, "run": run["run"]}
            self._channel = self._writer.register_channel(TOPIC, "cdr", schema, channel_facts)
            self._stream.flush()
        except BaseException:
            self.abandon()
            path.unlink(missing_ok=True)
            raise

    @property
    def bytes_written(self) -> int:
        """The size of the file so far, without what was not flushed yet."""
        return self._stream.tell()

    def write(self, log_time_ns: int, publish_time_ns: int, sequence: int, message: bytes) -> None:
        """Add a time-step; times are ns since the Unix epoch."""
        self._writer.add_message(self._channel, log_time_ns, message, publish_time_ns, sequence)

    def add_metadata(self, name: str, facts: Mapping[str, str]) -> None:
        """Add texts under a name."""
        self._writer.add_metadata(name, dict(facts))

    def flush(self) -> None:
        """Hand everything over to the operating system."""
        self._writer.flush()

    def close(self) -> None:
        """Write the index and close."""
        try:
            self._writer.finish()
        finally:
            self._stream.close()

    def abandon(self) -> None:
        """Close as it is, after an error: ``recording repair`` can open it."""
        try:
            self._stream.close()
        except OSError:
            self._stream.raw.close()  # the disk is still full
