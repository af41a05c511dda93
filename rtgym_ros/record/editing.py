"""Recordings out of recordings: repaired, cut, merged."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mcap.records import Attachment, Channel, Message, Metadata, Schema
from mcap.writer import CompressionType, Writer

from rtgym_ros.record.cdr_reader import decode
from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.mcap_file import TOPIC
from rtgym_ros.record.salvage import salvage
from rtgym_ros.record.schema import SCHEMA_NAME

Keep = Callable[[int, int | None], bool]
"""Given the log time (ns) and the number of the episode, None for other topics: whether a message is kept."""


@dataclass(frozen=True)
class Edited:
    """What was written: messages, and what was wrong with the source."""

    messages: int
    damage: tuple[str, ...]


def repair(file: Path, output: Path | None = None) -> Edited:
    """Write all that can be read of a file that was cut off or damaged as a proper one.

    Args:
        file: what a killed process, a full disk or a power failure left.
        output: where to; None replaces ``file``, in one step, once the new one is complete.

    Raises:
        RecordError: there is no MCAP file.
        OSError: the new file cannot be written.
    """
    damage: list[str] = []
    return Edited(_copy([file], output or file, damage), tuple(damage))


def merge(files: Iterable[Path], output: Path) -> Edited:
    """Write the recordings of several files, of one run or of several, into one, in that order.

    Raises:
        RecordError: a file is damaged or not closed.
        OSError: ``output`` exists or cannot be written.
    """
    return Edited(_copy(files, _new(output), None), ())


def cut(file: Path, output: Path, keep: Keep) -> Edited:
    """Write the time-steps of ``file`` for which ``keep`` is true.

    Raises:
        RecordError: the file is damaged or not closed, or nothing would be left.
        OSError: ``output`` exists or cannot be written.
    """
    return Edited(_copy([file], _new(output), None, keep), ())


def first_log_time_ns(file: Path) -> int:
    """Return when the first message of a file was recorded (ns since the Unix epoch).

    Raises:
        RecordError: it has none.
    """
    for record in salvage(file, []):
        if isinstance(record, Message):
            return int(record.log_time)
    raise RecordError(f"{file}: no messages are in it")


def _new(output: Path) -> Path:
    if output.exists():
        raise FileExistsError(f"{output} exists")
    return output


def _copy(files: Iterable[Path], output: Path, damage: list[str] | None, keep: Keep | None = None) -> int:
    """Copy into a file beside ``output``, which takes its name in the end. ``damage`` None: refuse damaged files."""
    unfinished = output.with_name(f"{output.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("xb") as stream:
            copy = _Copy(Writer(stream, compression=CompressionType.ZSTD), keep)
            for file in files:
                found: list[str] = []
                copy.begin_file()
                for record in salvage(file, found):
                    copy.add(record)
                if damage is not None:
                    damage.extend(found)
                elif found:
                    raise RecordError(f"{file}: {found[0]}: `recording repair {file}` first")
            if keep is not None and not copy.messages:
                raise RecordError("nothing is left after the cut")
            copy.finish()
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
    return copy.messages


class _Copy:
    """Gives schemas and channels of several files numbers of one file, and passes on what is kept."""

    def __init__(self, writer: Writer, keep: Keep | None) -> None:
        self._writer = writer
        self._keep = keep
        self._metadata: set[tuple[str, str]] = set()
        self._known_schemas: dict[tuple[str, str, bytes], int] = {}
        self._known_channels: dict[tuple[str, str, int, str], int] = {}
        self.messages: int = 0
        self.begin_file()
        writer.start(profile="ros2", library="rtgym_ros")

    def begin_file(self) -> None:
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Channel] = {}

    def add(self, record: Schema | Channel | Message | Metadata | Attachment) -> None:
        if isinstance(record, Schema):
            self._schemas[record.id] = record
        elif isinstance(record, Channel):
            self._channels[record.id] = record
        elif isinstance(record, Message):
            self._add_message(record)
        elif isinstance(record, Metadata):
            self._add_metadata(record)
        else:
            self._writer.add_attachment(
                record.create_time, record.log_time, record.name, record.media_type, record.data
            )

    def finish(self) -> None:
        self._writer.finish()

    def _add_metadata(self, record: Metadata) -> None:
        facts = (record.name, repr(sorted(record.metadata.items())))
        if facts not in self._metadata:  # each file of a run has the run's, each part of an episode the episode's
            self._metadata.add(facts)
            self._writer.add_metadata(record.name, record.metadata)

    def _add_message(self, message: Message) -> None:
        channel = self._channels.get(message.channel_id)
        if channel is None:
            return  # it was in a damaged chunk: nobody can read the message
        schema = self._schemas.get(channel.schema_id)
        if self._keep is not None:
            ours = channel.topic == TOPIC and schema is not None and schema.name == SCHEMA_NAME
            if not self._keep(message.log_time, decode(message.data).episode if ours else None):
                return
        self._writer.add_message(
            self._channel(channel, schema), message.log_time, message.data, message.publish_time, message.sequence
        )
        self.messages += 1

    def _channel(self, channel: Channel, schema: Schema | None) -> int:
        schema_id = 0 if schema is None else self._schema(schema)
        key = (channel.topic, channel.message_encoding, schema_id, repr(sorted(channel.metadata.items())))
        if key not in self._known_channels:
            self._known_channels[key] = self._writer.register_channel(
                channel.topic, channel.message_encoding, schema_id, channel.metadata
            )
        return self._known_channels[key]

    def _schema(self, schema: Schema) -> int:
        key = (schema.name, schema.encoding, schema.data)
        if key not in self._known_schemas:
            self._known_schemas[key] = self._writer.register_schema(schema.name, schema.encoding, schema.data)
        return self._known_schemas[key]
