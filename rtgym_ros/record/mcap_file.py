"""One MCAP file of time-steps, and of messages by choice, that is being written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mcap.writer import CompressionType, Writer

from rtgym_ros.record.recorded_topic import TIME_STEP, RecordedTopic
from rtgym_ros.record.schema import SCHEMA_ENCODING

TOPIC = TIME_STEP.name
RUN_RECORD = "rtgym_ros"
EPISODE_RECORD = "episode"
LABEL_RECORD = "label"
_CHUNK_BYTES = 1 << 20  # larger ones hold up other threads for longer; flush() ends smaller ones


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
            self._run_id = run["run"]
            self._schemas: dict[str, int] = {}
            self._channels: dict[RecordedTopic, int] = {}
            self._channel(TIME_STEP)
            self._stream.flush()
        except BaseException:
            self.abandon()
            path.unlink(missing_ok=True)
            raise

    @property
    def bytes_written(self) -> int:
        """The size of the file so far, without what was not flushed yet."""
        return self._stream.tell()

    def write(
        self, topic: RecordedTopic, log_time_ns: int, publish_time_ns: int, sequence: int, message: bytes
    ) -> None:
        """Add a message; times are ns since the Unix epoch."""
        self._writer.add_message(self._channel(topic), log_time_ns, message, publish_time_ns, sequence)

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

    def _channel(self, topic: RecordedTopic) -> int:
        channel = self._channels.get(topic)
        if channel is None:
            if topic.type not in self._schemas:
                definition = topic.definition.encode()
                self._schemas[topic.type] = self._writer.register_schema(topic.type, SCHEMA_ENCODING, definition)
            facts = {"offered_qos_profiles": topic.qos, "run": self._run_id, **dict(topic.facts)}
            channel = self._writer.register_channel(topic.name, "cdr", self._schemas[topic.type], facts)
            self._channels[topic] = channel
        return channel
