"""Conditions on a field of a topic: what a gate and the ``until`` of a step wait for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rtgym_ros.contract.grammar.kind import Kind, entry
from rtgym_ros.contract.grammar.kinds import MESSAGE, NUMBER, PATH, POSITIVE, SCALAR, TOPIC, list_of, one_or_list, word
from rtgym_ros.contract.records.observation_part import MAX_AGE
from rtgym_ros.contract.records.topic import QOS, Qos

Constant = float | int | bool | str
"""A value of a field, or the name of a constant of the message."""

_BITS = one_or_list(
    Kind("a mask of bits or the name of a constant", {"type": ["integer", "string"], "minimum": 1, "minLength": 1}),
    "a mask of bits (0x6) or the name of a constant, or a list of them",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A field of the newest message on a topic, and its one test; ``min`` and ``max`` may stand together.

    Attributes:
        topic: on which the message comes.
        type: of the message; left out where exactly one type is on the topic.
        field: path of one field.
        equals: the value that it has to have (a number, text, true, false, or the name of a constant of the message).
        any_of: the values of which it has to have one.
        min: lowest value.
        max: highest value.
        bits: all of these are set: a mask, the name of a constant, or a list of them.
        qos: of the subscription.
        max_age: a message older than this (s, since its arrival) does not count; left out: it counts as long as it
            has a publisher.
    """

    topic: str = entry(TOPIC)
    type: str | None = entry(MESSAGE, None)
    field: str = entry(PATH)
    equals: Constant | None = entry(SCALAR, None)
    any_of: tuple[Constant, ...] | None = entry(list_of(SCALAR, "a list of numbers, texts, true, false"), None)
    min: float | None = entry(NUMBER, None)
    max: float | None = entry(NUMBER, None)
    bits: int | str | tuple[int | str, ...] | None = entry(_BITS, None)
    qos: Qos | None = entry(QOS, None)
    max_age: float | Literal["none"] | None = entry(MAX_AGE, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(Condition):
    """A condition that has to hold while the robot is flown; lost when untrue, without publisher, or too old.

    Attributes:
        timeout: how long ``reset()`` waits for it (s).
        when_lost: ``fail``, ``truncate`` (the episode), or ``wait``: the clock pauses, with the safe action, until it
            holds again.
    """

    name: str
    timeout: float = entry(POSITIVE, 5.0)
    when_lost: Literal["fail", "truncate", "wait"] = entry(word("fail", "truncate", "wait"), "fail")


def tests(condition: Condition) -> dict[str, Any]:
    """Return the tests of a condition that the file gives, by key."""
    keys = ("equals", "any_of", "min", "max", "bits")
    return {key: getattr(condition, key) for key in keys if getattr(condition, key) is not None}
