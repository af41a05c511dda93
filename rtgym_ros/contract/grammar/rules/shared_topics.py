"""Rules of parts that share a topic: they are one message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rtgym_ros.contract.grammar.rules.finding import Finding
from rtgym_ros.contract.grammar.source import Key
from rtgym_ros.contract.records.contract import Contract

_OF_ONE_COMMAND = ("stamp", "checksum", "rate", "between", "echo")
_OF_ONE_MESSAGE = ("stamp",)


def shared_topic_rules(contract: Contract) -> Iterator[Finding]:
    """One type a topic; of one command (or message) one stamp, rate and so on, and each field written once."""
    yield from _section("action", contract.action, _OF_ONE_COMMAND)
    yield from _section("observation", contract.observation, _OF_ONE_MESSAGE)


def _section(section: str, parts: Mapping[str, Any], of_one: tuple[str, ...]) -> Iterator[Finding]:
    first: dict[Any, tuple[str, Any]] = {}  # what a message has: the first part that says so, and what it says

    def differs(message: Any, what: Any, name: str, value: Any) -> str | None:
        """Return the name of the part before that says something else."""
        before, said = first.setdefault((message, what), (name, value))
        return before if said is not value and said != value else None  # nan is not equal to itself

    for name, part in parts.items():
        key: Key = (section, name)
        topic = part.topic or getattr(part, "goal", None)
        message = (topic, part.qos)
        if part.type is not None and (before := differs(topic, "type", name, part.type)):
            yield Finding(
                (*key, "type"),
                f"{part.type} on the topic of {section}.{before}; allowed: its type, {parts[before].type}",
            )
        for what in of_one:
            value = getattr(part, what)
            if what == "between" and part.rate is None:  # that of the part with the rate
                continue
            if value is not None and (before := differs(message, what, name, value)):
                yield Finding(
                    (*key, what), f"differs from that of {section}.{before}, with which it is one message; allowed: one"
                )
        if section == "action":
            for index, path in enumerate(part.fields):
                if before := differs(message, ("field", path, part.names), name, name):
                    yield Finding((*key, "fields", index), f"{path} is also written by action.{before}; allowed: once")
            for path, value in (part.fill or {}).items():
                if before := differs(message, ("fill", path), name, value):
                    yield Finding((*key, "fill", path), f"differs from action.{before}.fill.{path}; allowed: one value")
