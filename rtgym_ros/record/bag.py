"""Bags of rosbag2: their messages, whichever of its two formats they are in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.messages import StoredMessage, read_messages, read_types

_SUFFIXES = (".mcap", ".db3")


def bag_files(bag: Path) -> list[Path]:
    """Return the files of a bag: of a folder in the order in which they were recorded.

    Raises:
        RecordError: there are none.
    """
    files = [file for file in bag.iterdir() if file.suffix in _SUFFIXES] if bag.is_dir() else [bag]
    if not files or not files[0].is_file():
        raise RecordError(f"{bag}: no bag; allowed: an .mcap or .db3 file, or a folder of them")
    if files[0].suffix not in _SUFFIXES:
        raise RecordError(f"{bag}: cannot be read; allowed: an .mcap or .db3 file, or a folder of them")
    begins = {file: next((message.log_time_ns for message in read_bag_file(file)), 0) for file in files}
    return sorted(files, key=lambda file: (begins[file], file.name))


def bag_types(files: list[Path]) -> dict[str, str]:
    """Return the types of the topics of a bag.

    Raises:
        RecordError: a file cannot be read.
    """
    found: dict[str, str] = {}
    for file in files:
        found |= read_types(file) if file.suffix == ".mcap" else _sqlite_types(file)
    return found


def read_bag_file(file: Path) -> Iterator[StoredMessage]:
    """Yield the messages of one file of a bag by the times at which they were recorded.

    Raises:
        RecordError: it cannot be read.
    """
    if file.suffix == ".mcap":
        yield from read_messages(file, in_time=True)
        return
    query = (
        "SELECT topics.name, topics.type, messages.timestamp, messages.data FROM messages "
        "JOIN topics ON messages.topic_id = topics.id ORDER BY messages.timestamp, messages.id"
    )
    try:
        with closing(_open(file)) as bag:
            for topic, kind, time_ns, data in bag.execute(query):
                yield StoredMessage(topic, kind, {}, time_ns, time_ns, 0, bytes(data))
    except sqlite3.Error as error:
        raise RecordError(f"{file}: {error}") from error


def _sqlite_types(file: Path) -> dict[str, str]:
    try:
        with closing(_open(file)) as bag:
            return dict(bag.execute("SELECT name, type FROM topics"))
    except sqlite3.Error as error:
        raise RecordError(f"{file}: {error}") from error


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
