"""YAML as contracts are written in it: the 1.2 core schema, with the line of each key, and nothing that surprises.

Works on the events of PyYAML's parser, so that tags, duplicate keys and aliases are seen before anything is made of
them. Refused: tags, duplicate keys, keys that are no text, a second document, aliases that unfold to more than
10,000 nodes or contain themselves, numbers that do not fit into 64 bits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rtgym_ros.contract.grammar.core_schema import resolve_scalar
from rtgym_ros.contract.grammar.source import ContractError, Key, Source, dotted, one_line, shown

MAX_NODES = 10_000
"""With every alias unfolded."""
MAX_DEPTH = 50
MAX_BYTES = 262_144

# Without NEL, LS and PS, which break lines in YAML 1.1 (and so for PyYAML) and not in 1.2.
_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAK = re.compile("\r\n|[\r\n]")


@dataclass
class _Node:
    """A value, where it stands, and how many nodes it unfolds to."""

    value: Any
    line: int
    size: int = 1
    key_lines: dict[str, int] = field(default_factory=dict)


def read_text(path: Path) -> str:
    """Return the text of a contract's file.

    Raises:
        ContractError: it is no file, cannot be read, is larger than 256 kB, or is not UTF-8.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe that nobody writes to would be read for ever
            raise ContractError(one_line(f"{path}:1: cannot be read: is no file; allowed: a file"))
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ContractError(one_line(f"{path}:1: cannot be read: {reason}")) from error
    if len(content) > MAX_BYTES:
        raise ContractError(one_line(f"{path}:1: is too large; allowed: up to {MAX_BYTES} bytes"))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ContractError(
            one_line(f"{path}:{line}: byte 0x{content[error.start]:02x} is not UTF-8; allowed: text in UTF-8")
        ) from error


def parse(text: str, file: str) -> tuple[Any, Source]:
    """Return the content of a contract as dicts, lists, texts, numbers, booleans and None, and where it stands.

    Keys that begin with ``x-`` are left out on every level.

    Raises:
        ContractError: it is not YAML, or has what is refused.
    """
    strange = _NOT_ALLOWED.search(text)
    if strange:
        line = len(_LINE_BREAK.findall(text, 0, strange.start())) + 1
        raise ContractError(
            one_line(f"{file}:{line}: character {shown(strange.group())} is not allowed; allowed: printable text")
        )
    if len(text.encode()) > MAX_BYTES:
        raise ContractError(one_line(f"{file}:1: is too large; allowed: up to {MAX_BYTES} bytes"))
    root = _Parser(text, file).document()
    lines: dict[Key, int] = {(): root.line}
    return _unfold(root, (), lines), Source(file, lines, text)


class _Parser:
    """Makes nodes of the events of one document."""

    def __init__(self, text: str, file: str) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events: Iterator[Any] = yaml.parse(text, Loader=loader)
        self._file = file
        self._last_line = len(_LINE_BREAK.findall(text.rstrip())) + 1
        self._anchors: dict[str, _Node | None] = {}
        self._path: list[str | int] = []

    def document(self) -> _Node:
        event = self._next()  # the start of the stream
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            raise self._error(event, "is empty; allowed: a section that begins with contract: 1")
        root = self._node(self._next())
        event = self._next()  # the end of the document
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._error(event, "a second document begins here; allowed: one")
        return root

    def _next(self) -> Any:
        try:
            return next(self._events)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = ", ".join(filter(None, [error.context, error.problem]))
            raise self._error_at(mark.line + 1 if mark else 1, f"is not YAML: {problem}") from error
        except yaml.YAMLError as error:
            raise self._error_at(1, f"is not YAML: {error}") from error

    def _node(self, event: Any) -> _Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag is not None:
            raise self._error(event, f"tag {shown(event.tag)} is not allowed; allowed: plain values without tags")
        if len(self._path) > MAX_DEPTH:
            raise self._error(event, f"is nested too deeply; allowed: {MAX_DEPTH} levels")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event)
        else:
            node = self._mapping(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, event: Any) -> _Node:
        try:
            value = resolve_scalar(event.value) if event.implicit[0] else event.value
        except ValueError as error:
            raise self._error(event, str(error)) from error
        return _Node(value, event.start_mark.line + 1)

    def _sequence(self, start: Any) -> _Node:
        node = _Node([], start.start_mark.line + 1)
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            self._path.append(len(node.value))
            self._add(node, event, self._node(event))
            node.value.append(self._last)
            self._path.pop()
        return node

    def _mapping(self, start: Any) -> _Node:
        node = _Node({}, start.start_mark.line + 1)
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event, node)
            self._path.append(key)
            value = self._next()
            self._add(node, event, self._node(value))
            node.value[key] = self._last
            node.key_lines[key] = event.start_mark.line + 1
            self._path.pop()
        return node

    def _key(self, event: Any, node: _Node) -> str:
        key: Any
        if isinstance(event, yaml.AliasEvent) and event.anchor is not None:
            target = self._anchors.get(event.anchor)
            key = target.value if target is not None else None
        else:
            if getattr(event, "tag", None) is not None:
                raise self._error(event, f"tag {shown(event.tag)} is not allowed; allowed: plain values without tags")
            key = event.value if isinstance(event, yaml.ScalarEvent) else None
            if getattr(event, "anchor", None) is not None and isinstance(key, str):
                self._anchors[event.anchor] = _Node(key, event.start_mark.line + 1)
        if not isinstance(key, str) or not key:
            raise self._error(event, "a key is no text; allowed: keys that are text")
        if key == "<<":
            raise self._error(event, "key '<<' is unknown: merging is not part of YAML 1.2; allowed: aliases as values")
        if key in node.value:
            self._path.append(key)
            raise self._error(event, f"is a duplicate key, first in line {node.key_lines[key]}; allowed: once")
        return key

    def _alias(self, event: Any) -> _Node:
        if event.anchor not in self._anchors:
            raise self._error(event, f"alias {shown(event.anchor)} has no anchor before it; allowed: anchors above")
        node = self._anchors[event.anchor]
        if node is None:
            raise self._error(
                event, f"alias {shown(event.anchor)} contains itself; allowed: aliases of finished values"
            )
        return node

    def _add(self, node: _Node, event: Any, child: _Node) -> None:
        node.size += child.size
        if node.size > MAX_NODES:
            raise self._error(event, f"unfolds to more than {MAX_NODES} values; allowed: up to that many")
        self._last = child

    def _error(self, event: Any, message: str) -> ContractError:
        return self._error_at(event.start_mark.line + 1, message)

    def _error_at(self, line: int, message: str) -> ContractError:
        line = min(line, self._last_line)  # the end of a file counts as one more
        name = dotted(tuple(self._path))
        return ContractError(one_line(f"{self._file}:{line}: {name}{': ' if name else ''}{message}"))


def _unfold(node: _Node, path: Key, lines: dict[Key, int]) -> Any:
    if isinstance(node.value, list):
        for index, child in enumerate(node.value):
            lines[(*path, index)] = child.line
        return [_unfold(child, (*path, index), lines) for index, child in enumerate(node.value)]
    if isinstance(node.value, dict):
        kept = {key: child for key, child in node.value.items() if not key.startswith("x-")}
        lines.update({(*path, key): node.key_lines[key] for key in kept})
        return {key: _unfold(child, (*path, key), lines) for key, child in kept.items()}
    return node.value
