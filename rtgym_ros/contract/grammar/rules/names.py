"""Rules of names: reserved ones, and topics that are not relative."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rtgym_ros.contract.grammar.rules.finding import Finding, has, walk
from rtgym_ros.contract.grammar.source import Key
from rtgym_ros.contract.records.contract import Contract

RESERVED = ("action_buffer", "delays")
"""Names in the observation that are not the contract's to give."""
_NAMES_IN_GRAPH = ("topic", "goal", "call", "publish")


def name_rules(contract: Contract) -> Iterator[Finding]:
    """Reserved names of parts, gates and inputs; absolute topics, services and actions."""
    sections: dict[Key, Mapping[str, Any]] = {
        ("action",): contract.action,
        ("observation",): contract.observation,
        ("gates",): contract.gates,
        ("guard", "inputs"): contract.guard.inputs if contract.guard else {},
    }
    for key, names in sections.items():
        for name in RESERVED:
            if name in names:
                yield Finding((*key, name), f"name {name} is reserved; allowed: other identifiers")
    if contract.robot in RESERVED:
        yield Finding(("robot",), f"name {contract.robot} is reserved; allowed: other identifiers")
    for key, record in walk(contract, ()):
        for name in _NAMES_IN_GRAPH:
            value = getattr(record, name) if has(record, name) else None
            if isinstance(value, str) and value.startswith("/"):
                yield Finding(
                    (*key, name),
                    f"{value} is absolute: the robot's namespace does not reach it; better: {value.lstrip('/')}",
                    warning=True,
                )
