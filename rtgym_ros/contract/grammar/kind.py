"""Kinds of values: what the file may say, its JSON Schema, and how it is turned into a record and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

Plain = Any
"""A value as YAML gives it: dict, list, text, int, float or bool."""


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Kind:
    """What one value of a contract may be.

    Attributes:
        allowed: the same for a reader, as it ends a sentence: "a number above 0".
        schema: JSON Schema (2020-12) of it.
        build: makes the value of the record out of a plain value that the schema accepts.
        plain: the inverse of ``build``.
        records: the dataclasses that the schema refers to as ``#/$defs/NAME``.
    """

    allowed: str
    schema: Mapping[str, Any]
    build: Callable[[Plain], Any] = _same
    plain: Callable[[Any], Plain] = _same
    records: tuple[type, ...] = ()

    def node(self) -> dict[str, Any]:
        """Return the schema with the sentence that editors and the reader show where it does not hold."""
        return {**self.schema, "errorMessage": f"allowed: {self.allowed}"}


def entry(kind: Kind, default: Any = MISSING, *, key: str | None = None, factory: Any = MISSING) -> Any:
    """Return a dataclass field of a contract's record; its description stands in the docstring of the class.

    Args:
        kind: what the file may say.
        default: used where the file leaves it out; without one the key is required.
        key: in the file, where it is not the name of the field.
        factory: makes the default, for defaults that can be changed.
    """
    return field(default=default, default_factory=factory, metadata={"kind": kind, "key": key})


def entries(cls: type) -> dict[str, tuple[Field[Any], Kind]]:
    """Return the entries of a record by their key in the file, in order."""
    return {
        entry.metadata["key"] or entry.name: (entry, entry.metadata["kind"])
        for entry in fields(cls)
        if "kind" in entry.metadata
    }


def required(cls: type) -> list[str]:
    """Return the keys that the file may not leave out."""
    return [
        key for key, (entry, _) in entries(cls).items() if entry.default is MISSING and entry.default_factory is MISSING
    ]


def build_record(cls: type, values: Mapping[str, Plain], **more: Any) -> Any:
    """Return a record of the plain values of its section; ``more`` are fields that the section does not hold."""
    known = entries(cls)
    return cls(**{known[key][0].name: known[key][1].build(value) for key, value in values.items()}, **more)


def plain_record(record: Any) -> dict[str, Plain]:
    """Return the section that :func:`build_record` makes an equal record of, without defaults."""
    values = {}
    for key, (entry, kind) in entries(type(record)).items():
        value = getattr(record, entry.name)
        default = entry.default_factory() if entry.default_factory is not MISSING else entry.default
        if value is not default and (default is MISSING or value != default):
            values[key] = kind.plain(value)
    return values
