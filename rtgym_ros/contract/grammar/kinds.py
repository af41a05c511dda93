"""The kinds that the records are made of: numbers, words, names, paths, and collections of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rtgym_ros.contract.grammar.kind import Kind, Plain, build_record, entries, plain_record

FLAG = Kind("true or false", {"type": "boolean"})
TEXT = Kind("text that is not empty", {"type": "string", "minLength": 1})
NUMBER = Kind("a number", {"type": "number"}, float)
POSITIVE = Kind("a number above 0", {"type": "number", "exclusiveMinimum": 0}, float)
WHOLE = Kind("a whole number", {"type": "integer"}, int)


def whole(least: int, most: int | None = None) -> Kind:
    """Return the kind of whole numbers from ``least`` (to ``most``)."""
    if most is None:
        return Kind(f"a whole number from {least} up", {"type": "integer", "minimum": least}, int)
    allowed = f"a whole number from {least} to {most}" if least < most else str(least)
    return Kind(allowed, {"type": "integer", "minimum": least, "maximum": most}, int)


def word(*words: str) -> Kind:
    """Return the kind of these words."""
    return Kind(" or ".join(words) if len(words) < 3 else f"one of {', '.join(words)}", {"enum": list(words)})


def pattern(allowed: str, expression: str) -> Kind:
    """Return the kind of texts that an expression (of both ECMA-262 and Python) matches."""
    return Kind(allowed, {"type": "string", "pattern": f"^(?:{expression})$"})


_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_TOPIC = f"(?!.*__)/?{_NAME}(?:/{_NAME})*"
_PACKAGE = "[a-z][a-z0-9_]*"
_INDEX = r"\[(?:[0-9]+(?:,[0-9]+)*|[0-9]+:[0-9]+|[A-Za-z][A-Za-z0-9_]*=[^\[\]=]+)\]"
_SEGMENT = rf"[A-Za-z][A-Za-z0-9_]*(?:{_INDEX})*"

IDENTIFIER = pattern("an identifier: letters, digits and _, not beginning with a digit", _NAME)
TOPIC = pattern("the name of a topic, relative to the robot's namespace: letters, digits, _ and /", _TOPIC)
SERVICE = pattern("the name of a service, relative to the robot's namespace: letters, digits, _ and /", _TOPIC)
ACTION_NAME = pattern("the name of an action, relative to the robot's namespace: letters, digits, _ and /", _TOPIC)
MESSAGE = pattern("a message type: package/msg/Name", f"{_PACKAGE}/msg/[A-Z][A-Za-z0-9]*")
SERVICE_TYPE = pattern("a service type: package/srv/Name", f"{_PACKAGE}/srv/[A-Z][A-Za-z0-9]*")
ACTION_TYPE = pattern("an action type: package/action/Name", f"{_PACKAGE}/action/[A-Z][A-Za-z0-9]*")
PATH = pattern(
    "the path of a field: name.name, with [3], [0,3,6], [0:6] or [name=value] behind a name",
    rf"{_SEGMENT}(?:\.{_SEGMENT})*",
)
CODE = pattern("module:name", rf"{_NAME}(?:\.{_NAME})*:{_NAME}(?:\.{_NAME})*")
TASK_VALUE = "task."
"""What begins the text of a ``fill`` value that the task's ``reset`` returns."""


_EXTENSION = {"pattern": "^x-"}


def any_of(allowed: str, *kinds: Kind, build: Callable[[Any], Any] | None = None, **more: Any) -> Kind:
    """Return a kind of values of either kind; the first whose schema type fits builds them unless ``build`` does."""
    records = tuple(record for kind in kinds for record in kind.records)
    schema = {"anyOf": [dict(kind.schema) for kind in kinds]}
    return Kind(allowed, schema, build or (lambda value: value), records=records, **more)


def list_of(kind: Kind, allowed: str, *, length: int | None = None) -> Kind:
    """Return the kind of lists, not empty, of a kind (of just so many)."""
    schema: dict[str, Any] = {"type": "array", "items": kind.node(), "minItems": length or 1}
    if length is not None:
        schema["maxItems"] = length
    return Kind(
        allowed,
        schema,
        lambda values: tuple(kind.build(value) for value in values),
        lambda values: [kind.plain(value) for value in values],
        kind.records,
    )


def one_or_list(kind: Kind, allowed: str) -> Kind:
    """Return the kind of one value, which stands for all, or a list of them."""
    many = list_of(kind, allowed)
    return any_of(
        allowed,
        kind,
        many,
        build=lambda value: many.build(value) if isinstance(value, list) else kind.build(value),
        plain=lambda value: many.plain(value) if isinstance(value, tuple) else kind.plain(value),
    )


def map_of(kind: Kind, allowed: str, keys: Kind = TEXT) -> Kind:
    """Return the kind of maps, not empty, of keys of one kind to values of another."""
    schema = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"anyOf": [dict(keys.schema), _EXTENSION], "errorMessage": f"allowed: {keys.allowed}"},
        "patternProperties": {"^x-": {}},
        "additionalProperties": kind.node(),
    }
    return Kind(
        allowed,
        schema,
        lambda values: {key: kind.build(value) for key, value in values.items()},
        lambda values: {key: kind.plain(value) for key, value in values.items()},
        kind.records,
    )


def record(cls: type, allowed: str = "") -> Kind:
    """Return the kind of sections that are read into a dataclass."""
    return Kind(
        allowed or f"a section with the keys {', '.join(entries(cls))}",
        {"$ref": f"#/$defs/{cls.__name__}"},
        lambda values: build_record(cls, values),
        plain_record,
        (cls,),
    )


def record_or(
    cls: type, short: Kind, allowed: str, build: Callable[[Plain], Any], shorten: Callable[[Any], Plain]
) -> Kind:
    """Return the kind of sections that may be written in short.

    Args:
        cls: the dataclass.
        short: what may stand instead of the section.
        allowed: what may be written.
        build: makes a record of the short form.
        shorten: returns the short form of a record, or None where only the section says it.
    """
    long = record(cls)

    def plain(value: Any) -> Plain:
        brief = shorten(value)
        return long.plain(value) if brief is None else brief

    return any_of(
        allowed,
        short,
        long,
        build=lambda value: long.build(value) if isinstance(value, dict) else build(value),
        plain=plain,
    )


def choice(name: str, kinds: Mapping[str, type]) -> Kind:
    """Return the kind of sections that are told apart by the one key of ``kinds`` that they have.

    A key that is also one of the other records' tells only where theirs is not there; it comes after theirs.
    """
    keys = list(kinds)
    allowed = f"{name} with one of the keys {', '.join(keys)}"
    by_class = {cls: record(cls) for cls in kinds.values()}
    tests: dict[str, dict[str, Any]] = {}
    for key in keys:
        tests[key] = {"type": "object", "required": [key]}
        others = [other for other, cls in kinds.items() if other != key and key in entries(cls)]
        if others:
            tests[key]["not"] = {"anyOf": [{"required": [other]} for other in others]}
    schema = {
        "oneOf": list(tests.values()),
        "allOf": [{"if": tests[key], "then": dict(by_class[cls].schema)} for key, cls in kinds.items()],
        "keys": keys,
    }

    def build(values: Plain) -> Any:
        return by_class[kinds[next(key for key in keys if key in values)]].build(values)

    return Kind(allowed, schema, build, lambda value: by_class[type(value)].plain(value), tuple(kinds.values()))


NUMBERS = one_or_list(NUMBER, "a number, which stands for all values, or a list of numbers, one a value")
POSITIVES = one_or_list(POSITIVE, "a number above 0, which stands for all values, or a list of them, one a value")
PAIR = list_of(NUMBER, "a pair of numbers: [lowest, highest]", length=2)
SCALAR = Kind("a number, text, true or false", {"type": ["number", "string", "boolean"]})


def named(cls: type, allowed: str) -> Kind:
    """Return the kind of sections of records that are known by their key, which becomes their ``name``."""
    one = record(cls)
    many = map_of(one, allowed, IDENTIFIER)
    return Kind(
        allowed,
        many.schema,
        lambda values: {name: build_record(cls, value, name=name) for name, value in values.items()},
        many.plain,
        (cls,),
    )
