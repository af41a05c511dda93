"""The JSON Schema of a contract, generated from the records: editors complete with it, the reader validates with it.

Beside the keywords of JSON Schema 2020-12 there are annotations: ``errorMessage``, the sentence that is shown (by the
reader, and by editors that know it), ``nonFinite`` where ``.nan`` and ``.inf`` are numbers (or ``.nan`` alone),
``keys`` by which a section is told apart, ``free`` where anything may stand.
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import MISSING
from pathlib import Path
from typing import Any

from rtgym_ros.contract.grammar.kind import entries, required
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.core.config import RealTimeConfig

SCHEMA_FILE = Path(__file__).parents[1] / "contract.schema.json"


def descriptions(cls: type) -> dict[str, str]:
    """Return what the docstring of a class says of each of its attributes, as one line of plain text."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base is not object:
            found.update(_attributes(base.__doc__ or ""))
    return found


def _attributes(docstring: str) -> dict[str, str]:
    _, _, attributes = inspect.cleandoc(docstring).partition("Attributes:\n")
    found: dict[str, str] = {}
    name = ""
    for line in attributes.splitlines():
        start = re.fullmatch(r"    (\w+): (.*)", line)
        if start:
            name, found[start[1]] = start[1], start[2]
        elif line.startswith("        ") and name:
            found[name] += " " + line.strip()
        elif line and not line.startswith(" "):
            break
    return found


def summary(cls: type) -> str:
    """Return what the docstring of a class says before its attributes, without markup, a paragraph a line."""
    text = (inspect.getdoc(cls) or "").partition("Attributes:\n")[0]
    return "\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip())


def json_schema() -> dict[str, Any]:
    """Return the schema of a contract."""
    records: dict[str, type] = {}
    _collect(Contract, records)
    definitions = {name: _section(cls) for name, cls in records.items()}
    root = definitions.pop("Contract")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rtgym_ros contract",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """Return the content of ``contract.schema.json``."""
    return json.dumps(json_schema(), indent=1) + "\n"


def _collect(cls: type, found: dict[str, type]) -> None:
    found[cls.__name__] = cls
    for _, kind in entries(cls).values():
        for record in kind.records:
            if record.__name__ not in found:
                _collect(record, found)


def _section(cls: type) -> dict[str, Any]:
    told = descriptions(cls)
    properties = {}
    for key, (entry, kind) in entries(cls).items():
        properties[key] = {"description": _plain_text(told.get(entry.name, "")), **kind.node()}
        if entry.default is not MISSING and entry.default is not None and entry.default != ():
            properties[key]["default"] = kind.plain(entry.default)
    if cls is Contract:
        _describe_time(properties["time"])
    section: dict[str, Any] = {
        "description": _plain_text(summary(cls)),
        "type": "object",
        "minProperties": 1,
        "properties": properties,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
        "errorMessage": f"allowed: a section with the keys {', '.join(properties)}",
    }
    if required(cls):
        section["required"] = required(cls)
    return section


def _describe_time(time: dict[str, Any]) -> None:
    told = descriptions(RealTimeConfig)
    time["properties"] = {
        name: {"description": _plain_text(told[name]), **schema} if name in told else schema
        for name, schema in time["properties"].items()
    }
    time["patternProperties"] = {"^x-": {}}


def _plain_text(text: str) -> str:
    return re.sub(r":\w+:`([^`]+)`", r"\1", text).replace("``", "")
