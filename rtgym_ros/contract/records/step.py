"""The steps of ``start``, ``reset``, ``wait`` and ``stop``, and heartbeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rtgym_ros.contract.grammar.kind import Kind, entry
from rtgym_ros.contract.grammar.kinds import (
    ACTION_NAME,
    ACTION_TYPE,
    CODE,
    FLAG,
    IDENTIFIER,
    MESSAGE,
    NUMBERS,
    PATH,
    POSITIVE,
    SCALAR,
    SERVICE,
    SERVICE_TYPE,
    TOPIC,
    any_of,
    choice,
    list_of,
    map_of,
    named,
    record,
    record_or,
)
from rtgym_ros.contract.records.gate import Condition
from rtgym_ros.contract.records.topic import FILL, QOS, STAMP, Fill, Qos, Stamp

STEP_TIMEOUT = 5.0
"""Of a step that gives none (s, wall time)."""

UNTIL = record_or(
    Condition,
    IDENTIFIER,
    "the name of a gate, or a condition: {topic: ..., field: ..., equals: ...}",
    lambda name: name,
    lambda value: value if isinstance(value, str) else None,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStep:
    """Calls a service and checks its response.

    Attributes:
        call: name of the service.
        type: of the service; left out where the graph knows it.
        fill: fields of the request; the others have their defaults.
        expect: path of a field of the response: the value that it must have; left out: ``success`` must be true where
            there is one.
        every: the call is repeated after so long (s) while it is refused.
        timeout: for all of it (s).
    """

    call: str = entry(SERVICE)
    type: str | None = entry(SERVICE_TYPE, None)
    fill: Fill | None = entry(FILL, None)
    expect: Mapping[str, Any] | None = entry(map_of(SCALAR, "a section: path of a field: its value", PATH), None)
    every: float | None = entry(POSITIVE, None)
    timeout: float = entry(POSITIVE, STEP_TIMEOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishStep:
    """Publishes a message, once or until a condition holds.

    Attributes:
        publish: the topic.
        type: of the message; left out where exactly one type is on the topic.
        fill: fields of the message; the others have their defaults.
        stamp: field for the time at which it is sent; left out: ``header.stamp`` where there is one.
        checksum: ``module:function``, called with the finished message, which it changes in place.
        qos: of the publisher.
        every: it is repeated after so long (s) until ``until`` holds.
        until: name of a gate, or a condition; requires ``every``.
        timeout: for all of it (s).
    """

    publish: str = entry(TOPIC)
    type: str | None = entry(MESSAGE, None)
    fill: Fill | None = entry(FILL, None)
    stamp: Stamp | None = entry(STAMP, None)
    checksum: str | None = entry(CODE, None)
    qos: Qos | None = entry(QOS, None)
    every: float | None = entry(POSITIVE, None)
    until: str | Condition | None = entry(UNTIL, None)
    timeout: float = entry(POSITIVE, STEP_TIMEOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalStep:
    """Sends a goal to a ROS action, and by choice waits until it succeeded.

    Attributes:
        goal: name of the ROS action.
        type: of the ROS action; left out where the graph knows it.
        fill: fields of the goal; the others have their defaults.
        wait: whether the step waits for the result, which must be a success; else it is over once the goal is accepted.
        timeout: for all of it (s).
    """

    goal: str = entry(ACTION_NAME)
    type: str | None = entry(ACTION_TYPE, None)
    fill: Fill | None = entry(FILL, None)
    wait: bool = entry(FLAG, False)
    timeout: float = entry(POSITIVE, STEP_TIMEOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class UntilStep:
    """Waits until a condition holds.

    Attributes:
        until: name of a gate, or a condition.
        timeout: how long (s).
    """

    until: str | Condition = entry(UNTIL)
    timeout: float = entry(POSITIVE, STEP_TIMEOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepStep:
    """Waits.

    Attributes:
        sleep: how long (s), in the clock of the time-steps.
        timeout: the longest that it may take in wall time (s).
    """

    sleep: float = entry(POSITIVE)
    timeout: float = entry(POSITIVE, STEP_TIMEOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendStep:
    """Moves the command of parts of the action to given values, within their limits.

    Attributes:
        send: name of a part: its values, in the units of the message.
        until: name of a gate, or a condition, that ends the step; left out: the commands have arrived at the values.
        timeout: for all of it (s).
    """

    send: Mapping[str, float | tuple[float, ...]] = entry(
        map_of(NUMBERS, "a section: part of the action: its values", IDENTIFIER)
    )
    until: str | Condition | None = entry(UNTIL, None)
    timeout: float = entry(POSITIVE, STEP_TIMEOUT)


Step = CallStep | PublishStep | GoalStep | UntilStep | SleepStep | SendStep
# `until` comes last: it is also a key of two others.
STEP_KEYS = ("call", "publish", "goal", "sleep", "send", "until")
_CHOICES: dict[str, type] = {
    "call": CallStep,
    "publish": PublishStep,
    "goal": GoalStep,
    "sleep": SleepStep,
    "send": SendStep,
    "until": UntilStep,
}
STEPS: Kind = list_of(choice("a step", _CHOICES), "a list of steps, in order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A message that is sent all the time, from the first step of ``start`` until ``stop`` begins.

    Heartbeats stand in a list, or in a section with a name for each.

    Attributes:
        topic: on which it is published.
        type: of the message; left out where exactly one type is on the topic.
        rate: at which it is sent (Hz).
        fill: fields of the message; the others have their defaults.
        stamp: field for the time at which it is sent; left out: ``header.stamp`` where there is one.
        checksum: ``module:function``, called with the finished message, which it changes in place.
        qos: of the publisher.
    """

    name: str = ""
    topic: str = entry(TOPIC)
    rate: float = entry(POSITIVE)
    type: str | None = entry(MESSAGE, None)
    fill: Fill | None = entry(FILL, None)
    stamp: Stamp | None = entry(STAMP, None)
    checksum: str | None = entry(CODE, None)
    qos: Qos | None = entry(QOS, None)


_LIST = list_of(record(Heartbeat), "a list of heartbeats")
_NAMED = named(Heartbeat, "a section: name of the heartbeat: the heartbeat")
HEARTBEATS = any_of(
    "a list of heartbeats: {topic: ..., type: ..., fill: {...}, rate: 10}, or a section with a name for each",
    _LIST,
    _NAMED,
    build=lambda value: tuple(_NAMED.build(value).values()) if isinstance(value, dict) else _LIST.build(value),
    plain=lambda beats: _NAMED.plain({beat.name: beat for beat in beats}) if beats[0].name else _LIST.plain(beats),
)
