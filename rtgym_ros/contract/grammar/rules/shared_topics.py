"""Rules of parts that share a topic: they are one message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rtgym_ros.contract.grammar.rules.finding import Finding
from rtgym_ros.contract.records.contract import Contract

_OF_ONE_COMMAND = ("stamp", "checksum", "rate", "between", "echo")
_OF_ONE_MESSAGE = ("stamp",)


def shared_topic_rules(contract: Contract) -> Iterator[Finding]:
    """One type a topic; of one command (or message) one stamp, rate and so on, and each field written once."""
    for section, of_one, parts in (
        ("action", _OF_ONE_COMMAND, contract.action),
        ("observation", _OF_ONE_MESSAGE, contract.observation),
    ):
        groups: dict[Any, list[Any]] = {}
        for part in parts.values():
            carrier = part.topic or getattr(part, "goal", None)
            groups.setdefault(carrier, []).append(part)
        for group in groups.values():
            for index, part in enumerate(group):
                for before in group[:index]:
                    yield from _between(section, before, part, of_one)


def _between(section: str, before: Any, part: Any, of_one: tuple[str, ...]) -> Iterator[Finding]:
    key = (section, part.name)
    if part.type is not None and before.type is not None and part.type != before.type:
        yield Finding(
            (*key, "type"), f"{part.type} on the topic of {section}.{before.name}; allowed: its type, {before.type}"
        )
    if part.qos != before.qos:
        return
    for name in of_one:
        here, there = getattr(part, name), getattr(before, name)
        if here is not None and there is not None and here != there:
            yield Finding(
                (*key, name),
                f"differs from that of {section}.{before.name}, with which it is one message; allowed: one",
            )
    if section == "action":
        for index, path in enumerate(part.fields):
            if path in before.fields and part.names == before.names:
                yield Finding((*key, "fields", index), f"{path} is also written by action.{before.name}; allowed: once")
        for path, value in (part.fill or {}).items():
            if path in (before.fill or {}) and value != before.fill[path]:
                yield Finding(
                    (*key, "fill", path), f"differs from action.{before.name}.fill.{path}; allowed: one value"
                )
