"""Rules of ``default`` and ``safe``: what is sent when the agent commands nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rtgym_ros.contract.grammar.rules.finding import Finding, each
from rtgym_ros.contract.grammar.source import Key
from rtgym_ros.contract.records.action_part import ActionPart, FillCommand


def command_rules(part: ActionPart, key: Key) -> Iterator[Finding]:
    """``safe`` may be left out of velocities and efforts alone; values lie within bounds; ``measured`` has a source."""
    words = set(each(part.quantity, 1))
    needs_safe = sorted(words & {"position", "acceleration"})
    if part.safe is None and needs_safe:
        yield Finding(key, f"safe is missing: a part of {' and '.join(needs_safe)} needs it; allowed: values, last, "
                      "measured, or {fill: {...}}")  # fmt: skip
    if part.default is None and "position" in words and part.first_from is None:
        yield Finding(key, "default is missing: a position without first_from needs it; allowed: values, last, "
                      "measured, or {fill: {...}}")  # fmt: skip
    elif part.default is None:
        for index, value, low, high in _values(part.default_command(), part):
            if isinstance(value, float) and not low <= value <= high:
                yield Finding(key, f"default is missing, and 0 is out of bounds of value {index}; "
                              f"allowed: {low:g} to {high:g}")  # fmt: skip
    for name in ("default", "safe"):
        yield from _given(part, key, name, getattr(part, name))


def _given(part: ActionPart, key: Key, name: str, command: Any) -> Iterator[Finding]:
    if command is None or isinstance(command, FillCommand):
        return
    for index, value, low, high in _values(command, part):
        at = (*key, name, *((index,) if isinstance(command, tuple) else ()))
        if value == "measured" and part.first_from is None:
            yield Finding(at, "measured needs first_from, the part that shows it; allowed: with first_from")
            return
        if isinstance(value, float) and not low <= value <= high:
            yield Finding(at, f"{value:g} is out of bounds; allowed: {low:g} to {high:g}")
            if not isinstance(command, tuple):
                return


def _values(command: Any, part: ActionPart) -> Iterator[tuple[int, Any, float, float]]:
    """Yield index, value and bounds; lists of different lengths are another rule's."""
    count = max((len(value) for value in (command, part.low, part.high) if isinstance(value, tuple)), default=1)
    rows = zip(each(command, count), each(part.low, count), each(part.high, count), strict=False)
    for index, (value, low, high) in enumerate(rows):
        yield index, value, low, high
