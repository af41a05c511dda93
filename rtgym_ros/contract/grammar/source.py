"""Where in the file what was read stands, for errors of every stage."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rtgym_ros.core.errors import ConfigError

Key = tuple[str | int, ...]
"""Keys from the top of the file down, with indices of lists: ``("action", "arm", "fields", 0)``."""


class ContractError(ConfigError):
    """A contract cannot be used; the message is one line: file, line, dotted key, value, what is allowed.

    Attributes:
        problems: the problems that were found (up to 50), one line each, in the order of the file; the message is the
            first.
    """

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__(self.problems[0])

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep all of the problems where the error goes to another process."""
        return type(self), (self.problems,)


MAX_PROBLEMS = 50
"""Of a file; after so many nothing more is looked for."""


@dataclass(frozen=True)
class Source:
    """The file of a contract, and the lines in it.

    Attributes:
        file: as it was given, or what the text is called.
        lines: the line (from 1) of each key.
        text: the file's.
    """

    file: str = "contract"
    lines: Mapping[Key, int] = field(default_factory=dict)
    text: str = ""

    def line(self, key: Key) -> int:
        """Return the line of a key, or of the nearest section around it that stands in the file."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def problem(self, key: Key, message: str) -> str:
        """Return one line: file, line, dotted key, and a message that names value and what is allowed."""
        where = f"{self.file}:{self.line(key)}"
        name = dotted(key)
        return one_line(f"{where}: {name}: {message}" if name else f"{where}: {message}")

    def error(self, key: Key, message: str) -> ContractError:
        """Return the error with that line, to be raised."""
        return ContractError(self.problem(key, message))


def dotted(key: Key) -> str:
    """Return a key as it is written in errors: ``action.arm.fields[0]``."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def shown(value: Any, most: int = 60) -> str:
    """Return a value of the file for an error: on one line, and not longer than ``most`` characters."""
    text = one_line(repr(value))
    return text if len(text) <= most else text[: most - 3] + "..."


def one_line(text: str) -> str:
    """Return a text with what would break the line, or could not be printed, escaped."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode() for letter in text
    )


def nearest_key(name: str, known: Iterable[str]) -> str:
    """Return ``; nearest: x`` for the known name closest to ``name``, or an empty text."""
    match = difflib.get_close_matches(name[:100], list(known), n=1, cutoff=0.5)
    return f"; nearest: {match[0]}" if match else ""
