"""Errors of resolving, with the line of the file that they are about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rtgym_ros.contract.grammar.source import ContractError, Key, Source
from rtgym_ros.contract.messages.layout import StructType
from rtgym_ros.contract.messages.selection import select
from rtgym_ros.core.errors import ConfigError

_ENTRY = re.compile(r"(?P<first>[a-z_]+)(?P<below>(?:\[\d+\]|\.[a-z_]+)*): ")
_BELOW = re.compile(r"\[(\d+)\]|\.([a-z_]+)")


@contextmanager
def located(source: Source, key: Key) -> Iterator[None]:
    """Raise what is wrong within as a :class:`ContractError` at ``key``."""
    try:
        yield
    except ContractError:
        raise
    except ConfigError as error:
        key, message = _entry(source, key, str(error))
        raise source.error(key, message) from error


def _entry(source: Source, key: Key, message: str) -> tuple[Key, str]:
    """Return the key of the entry that the message begins with, as ``convert[0].scale: ...`` does, and the rest."""
    match = _ENTRY.match(message)
    if match is None or (*key, match["first"]) not in source.lines:
        return key, message
    below = [int(index) if index else name for index, name in _BELOW.findall(match["below"])]
    return (*key, match["first"], *below), message[match.end() :]


def check_paths(
    source: Source,
    key: Key,
    layout: StructType,
    fields: Sequence[str],
    names: Sequence[str] | None,
    allow_whole: bool = False,
    growing: bool = False,
) -> None:
    """Resolve each entry of ``fields`` alone, so that an error has its line; arguments as those of :func:`select`."""
    for index, path in enumerate(fields):
        with located(source, (*key, "fields", index)):
            select(layout, path, names, allow_whole, growing)
