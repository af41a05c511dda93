"""The guard: the process between agent and robot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rtgym_ros.contract.grammar.kind import Kind, entry
from rtgym_ros.contract.grammar.kinds import (
    IDENTIFIER,
    MESSAGE,
    PATH,
    POSITIVE,
    TOPIC,
    list_of,
    map_of,
    record_or,
    whole,
)
from rtgym_ros.contract.records.topic import QOS, Qos

_FIELDS = Kind(
    "a list of paths of fields, or a section: part of the action: list of paths",
    {
        "anyOf": [
            dict(list_of(PATH, "a list of paths").schema),
            dict(map_of(list_of(PATH, "a list of paths"), "a section", IDENTIFIER).schema),
        ]
    },
    lambda value: {k: tuple(v) for k, v in value.items()} if isinstance(value, dict) else tuple(value),
    lambda value: {k: list(v) for k, v in value.items()} if isinstance(value, dict) else list(value),
)
_PRIORITY = whole(0, 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Somebody who may command the robot; of those who are not silent the one with the highest priority does.

    It may be written in short as its priority.

    Attributes:
        priority: a larger number goes before a smaller one; of two equal ones the first in the file.
        timeout: after this silence (s) it does not count; left out: the guard's.
        topic: left out: each part of the action on NAME/TOPIC, NAME being the input's.
        type: of the message; left out: that of the command. ``sensor_msgs/msg/Joy`` needs ``topic`` and ``fields``.
        fields: in the order of the values: a list where the action has one part, else a section with a list for each
            part; left out: those of the part. What a Joy holds, -1 to 1, is mapped to ``low`` to ``high``.
        qos: of the subscription.
    """

    priority: int = entry(_PRIORITY)
    timeout: float | None = entry(POSITIVE, None)
    topic: str | None = entry(TOPIC, None)
    type: str | None = entry(MESSAGE, None)
    fields: Mapping[str, tuple[str, ...]] | tuple[str, ...] | None = entry(_FIELDS, None)
    qos: Qos | None = entry(QOS, None)


INPUT = record_or(
    Input,
    _PRIORITY,
    "a priority (a whole number from 0 to 255), or a section with priority, timeout, topic, type",
    lambda priority: Input(priority=int(priority)),
    lambda value: value.priority if value == Input(priority=value.priority) else None,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A ``std_msgs/msg/Bool`` that stops the robot when true, or silent; may be written in short as its topic.

    Attributes:
        topic: on which it comes.
        timeout: after this silence (s) it engages; left out: the guard's.
        qos: of the subscription.
    """

    topic: str = entry(TOPIC)
    timeout: float | None = entry(POSITIVE, None)
    qos: Qos | None = entry(QOS, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What the guard does.

    Attributes:
        timeout: after this silence (s) the safe action is sent; more than
            ``time_step_duration * (1 + time_step_timeout_factor)``; left out: twice that.
        inputs: name: priority, or a section; left out: ``agent`` alone.
        lock: an emergency stop.
    """

    timeout: float | None = entry(POSITIVE, None)
    inputs: Mapping[str, Input] = entry(
        map_of(INPUT, "a section: name of the input: its priority, or a section", IDENTIFIER),
        factory=lambda: {"agent": Input(priority=10)},
    )
    lock: Lock | None = entry(
        record_or(
            Lock,
            TOPIC,
            "the name of a topic, or a section: {topic: e_stop, timeout: 0.5}",
            lambda topic: Lock(topic=topic),
            lambda lock: lock.topic if lock == Lock(topic=lock.topic) else None,
        ),
        None,
    )
