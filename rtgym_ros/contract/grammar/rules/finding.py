"""What a rule finds, and what several rules need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from rtgym_ros.contract.grammar.kind import entries
from rtgym_ros.contract.grammar.source import Key, nearest_key


@dataclass(frozen=True)
class Finding:
    """A rule that does not hold.

    Attributes:
        key: of the value.
        message: names the value and what is allowed.
        warning: it is allowed, but hardly meant.
    """

    key: Key
    message: str
    warning: bool = False


def unknown_name(name: str, known: Mapping[str, Any], what: str) -> str:
    """Return the message about a name that is not one of ``known``."""
    names = ", ".join(known) or "none is defined"
    return f"{name!r} is no {what}; allowed: {names}{nearest_key(name, known)}"


def walk(value: Any, key: Key) -> Iterator[tuple[Key, Any]]:
    """Yield every record in a record, list or map, and its key in the file, outermost first."""
    if is_dataclass(value) and not isinstance(value, type):
        yield key, value
        for name, (entry, _) in entries(type(value)).items():
            yield from walk(getattr(value, entry.name), (*key, name))
    elif isinstance(value, Mapping):
        for name, child in value.items():
            yield from walk(child, (*key, name))
    elif isinstance(value, tuple):
        for index, child in enumerate(value):
            yield from walk(child, (*key, index))


def has(record: Any, name: str) -> bool:
    """Return whether a record has a field of that name."""
    return any(entry.name == name for entry in fields(record))


def each(values: Any, count: int) -> tuple[Any, ...]:
    """Return values as one for each of ``count``: a single one stands for all."""
    return values if isinstance(values, tuple) else (values,) * count


def repeated(key: Key, values: tuple[str, ...]) -> Iterator[Finding]:
    """Yield a finding for each text that is in a list twice."""
    seen = set()
    for index, value in enumerate(values):
        if value in seen:
            yield Finding((*key, index), f"{value} is given twice; allowed: once")
        seen.add(value)


def length_problems(key: Key, values: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a finding for each list that is not as long as the first list of the part."""
    first = next(((name, len(value)) for name, value in values.items() if isinstance(value, tuple)), None)
    if first is None:
        return
    for name, value in values.items():
        if isinstance(value, tuple) and len(value) != first[1]:
            yield Finding(
                (*key, *name.split(".")),
                f"has {len(value)} values and {first[0]} has {first[1]}; allowed: one number for all, or as many",
            )


def bound_problems(key: Key, low: Any, high: Any) -> Iterator[Finding]:
    """Yield a finding where the low bound is above the high one."""
    count = max((len(value) for value in (low, high) if isinstance(value, tuple)), default=1)
    for index, (lowest, highest) in enumerate(zip(each(low, count), each(high, count), strict=False)):
        if lowest > highest:
            at = (index,) if isinstance(low, tuple) else ()
            yield Finding((*key, "low", *at), f"{lowest:g} is not allowed; allowed: up to high, which is {highest:g}")
