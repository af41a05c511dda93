"""The section ``time``: the entries of the environment's configuration that a file can give, and two more."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from rtgym_ros.contract.grammar.kind import Kind
from rtgym_ros.contract.grammar.kinds import IDENTIFIER, word
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.config_rules import RULES

LATE_ACTION = word("repeat", "default", "safe")
CONFIG_ENTRIES = tuple(
    entry.name
    for entry in fields(RealTimeConfig)
    if not entry.name.startswith("interface")
    and not entry.name.endswith("_prepro_func")
    and entry.name != "out_of_bounds_action"
)
"""Keys of ``time`` that are entries of :class:`rtgym_ros.core.config.RealTimeConfig`."""

TIME_KEYS = (*CONFIG_ENTRIES, "phase", "late_action")

_SCHEMA_TYPES: dict[str, dict[str, Any]] = {
    "bool": {"type": "boolean"},
    "float": {"type": "number", "nonFinite": True},
    "int": {"type": "integer"},
    "str": {"type": "string"},
    "tuple[int, ...]": {"type": "array", "items": {"type": "integer"}, "minItems": 1},
}


def allowed_in_file(name: str) -> str:
    """Return what an entry of the configuration may be in a file, which has no None and writes infinity ``.inf``."""
    allowed = RULES[name][0].replace("True or False", "true or false")
    return allowed.removesuffix(", or None").removesuffix(" or None").replace("or inf", "or .inf")


def _with_message(schema: dict[str, Any], message: str) -> dict[str, Any]:
    own = {**schema, "errorMessage": message}
    if "items" in schema:
        own["items"] = {**schema["items"], "errorMessage": message}
    return own


def _schema() -> dict[str, Any]:
    # Annotations are texts there; what may be None is left out of the file instead.
    types = {entry.name: str(entry.type).removesuffix(" | None") for entry in fields(RealTimeConfig)}
    properties = {
        name: _with_message(_SCHEMA_TYPES.get(types[name], {}), f"allowed: {allowed_in_file(name)}")
        for name in CONFIG_ENTRIES
    }
    properties["phase"] = dict(IDENTIFIER.node())
    properties["late_action"] = dict(LATE_ACTION.node())
    return {"type": "object", "minProperties": 1, "properties": properties, "additionalProperties": False}


TIME = Kind(
    "a section with entries of the environment's configuration, phase and late_action",
    _schema(),
    lambda values: {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()},
    lambda values: {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()},
)
