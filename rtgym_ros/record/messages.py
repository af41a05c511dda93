"""All messages of MCAP files, serialised, in the order in which they were written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mcap.reader import make_reader

from rtgym_ros.record.reading import errors_of


class StoredMessage(NamedTuple):
    """A message of a file.

    Attributes:
        topic: full name.
        type: ``package/msg/Name``; '' where the file does not say.
        facts: metadata of its channel.
        log_time_ns: as it stands in the file.
        publish_time_ns: as it stands in the file.
        sequence: as it stands in the file.
        data: serialised.
    """

    topic: str
    type: str
    facts: Mapping[str, str]
    log_time_ns: int
    publish_time_ns: int
    sequence: int
    data: bytes


def read_messages(file: Path, in_time: bool = False) -> Iterator[StoredMessage]:
    """Yield the messages of a file.

    Args:
        file: any MCAP file.
        in_time: in the order of their log times, rather than that of the file.

    Raises:
        RecordError: the file is damaged or not closed.
    """
    with file.open("rb") as stream, errors_of(file):
        for schema, channel, message in make_reader(stream).iter_messages(log_time_order=in_time):
            yield StoredMessage(
                channel.topic,
                schema.name if schema is not None else "",
                channel.metadata,
                message.log_time,
                message.publish_time,
                message.sequence,
                message.data,
            )


def read_types(file: Path) -> dict[str, str]:
    """Return the types of the topics of a file.

    Raises:
        RecordError: the file is damaged or not closed.
    """
    with file.open("rb") as stream, errors_of(file):
        summary = make_reader(stream).get_summary()
        if summary is None:
            return {}
        return {
            channel.topic: summary.schemas[channel.schema_id].name
            for channel in summary.channels.values()
            if channel.schema_id in summary.schemas
        }
