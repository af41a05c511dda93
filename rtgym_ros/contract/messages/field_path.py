"""Field paths as a contract spells them: ``position.x``, ``q[0:6]``, ``motors[0,3].q``, ``poses[name=cf231].pose``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from rtgym_ros.core.errors import ConfigError


class FieldPathError(ConfigError):
    """A field path cannot be parsed, or leads to nothing that can be used in this message type."""


@dataclass(frozen=True)
class Slice:
    """Elements ``start`` up to, not including, ``stop``; None where the array says how long it is."""

    start: int
    stop: int | None


@dataclass(frozen=True)
class Key:
    """The first element whose field has this value.

    Attributes:
        field: path within the element, names and dots.
        value: as it stands in the path.
    """

    field: str
    value: str


Subscript: TypeAlias = tuple[int, ...] | Slice | Key


@dataclass(frozen=True)
class Step:
    """One name of a path, with what stands in brackets behind it."""

    field: str
    subscript: Subscript | None = None


_STEP = re.compile(r"(?P<field>[A-Za-z]\w*)(?:\[(?P<subscript>\"[^\"]*\"|[^\]\"]*(?:\"[^\"]*\")?)\])?")
_INDICES = re.compile(r"\d+(?:\s*,\s*\d+)*")
_SLICE = re.compile(r"(?P<start>\d*)\s*:\s*(?P<stop>\d*)")
_KEY = re.compile(r"(?P<field>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)\s*=\s*(?:\"(?P<quoted>[^\"]*)\"|(?P<bare>[^\"\s]+))")
_FORMS = "a path is NAME or NAME[0], NAME[0,3], NAME[0:6], NAME[FIELD=VALUE], joined by dots"


def parse_path(path: str) -> tuple[Step, ...]:
    """Take a field path apart; nothing is known of the message type yet.

    Raises:
        FieldPathError: it does not follow the grammar.
    """
    steps: list[Step] = []
    position = 0
    while True:
        match = _STEP.match(path, position)
        if match is None:
            raise FieldPathError(f"field path {path!r}: cannot be read from {path[position:]!r} on: {_FORMS}")
        subscript = match["subscript"]
        steps.append(Step(match["field"], None if subscript is None else _parse_subscript(path, subscript.strip())))
        position = match.end()
        if position == len(path):
            return tuple(steps)
        if path[position] != ".":
            raise FieldPathError(f"field path {path!r}: cannot be read from {path[position:]!r} on: {_FORMS}")
        position += 1


def _parse_subscript(path: str, text: str) -> Subscript:
    if _INDICES.fullmatch(text):
        indices = tuple(int(index) for index in text.split(","))
        if len(set(indices)) < len(indices):
            raise FieldPathError(f"field path {path!r}: [{text}] names an element twice")
        return indices
    if match := _SLICE.fullmatch(text):
        start, stop = int(match["start"] or 0), int(match["stop"]) if match["stop"] else None
        if stop is not None and stop <= start:
            raise FieldPathError(f"field path {path!r}: [{text}] is empty (the second number is not part of it)")
        return Slice(start, stop)
    if match := _KEY.fullmatch(text):
        return Key(match["field"], match["quoted"] if match["quoted"] is not None else match["bare"])
    raise FieldPathError(f"field path {path!r}: [{text}] cannot be read: {_FORMS}")
