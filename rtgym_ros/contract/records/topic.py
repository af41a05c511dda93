"""What every message that is sent or received has: quality of service, stamp, constants of its other fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rtgym_ros.contract.grammar.kind import Kind, entry
from rtgym_ros.contract.grammar.kinds import MESSAGE, PATH, POSITIVE, TOPIC, map_of, record_or, whole, word

FillValue = float | int | bool | str | tuple[float | int | bool | str, ...]
"""A constant of a field: a value, the name of a constant of the message, ``task.NAME``, or a list of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Qos:
    """Quality of service, as ROS 2 names it; what is left out is the profile's, or ROS's default.

    Attributes:
        profile: ``sensor`` (best effort, keep last 5), ``command`` (reliable, keep last 1) or ``latched`` (reliable,
            transient local, keep last 1), which may be written alone: ``qos: latched``.
        reliability: ``reliable`` or ``best_effort``.
        durability: ``volatile`` or ``transient_local``.
        history: ``keep_last`` or ``keep_all``.
        depth: messages that are kept.
        deadline: the longest that should pass between two messages (s).
        lifespan: how long a message is valid (s).
        liveliness: ``automatic`` or ``manual_by_topic``.
        liveliness_lease_duration: within which a publisher has to assert that it is alive (s).
    """

    profile: Literal["sensor", "command", "latched"] | None = entry(word("sensor", "command", "latched"), None)
    reliability: Literal["reliable", "best_effort"] | None = entry(word("reliable", "best_effort"), None)
    durability: Literal["volatile", "transient_local"] | None = entry(word("volatile", "transient_local"), None)
    history: Literal["keep_last", "keep_all"] | None = entry(word("keep_last", "keep_all"), None)
    depth: int | None = entry(whole(1, 10_000), None)
    deadline: float | None = entry(POSITIVE, None)
    lifespan: float | None = entry(POSITIVE, None)
    liveliness: Literal["automatic", "manual_by_topic"] | None = entry(word("automatic", "manual_by_topic"), None)
    liveliness_lease_duration: float | None = entry(POSITIVE, None)


def _short_qos(qos: Qos) -> str | None:
    return qos.profile if qos == Qos(profile=qos.profile) else None


QOS = record_or(
    Qos,
    word("sensor", "command", "latched"),
    "sensor, command, latched, or a section with reliability, durability, depth, deadline and so on",
    lambda profile: Qos(profile=profile),
    _short_qos,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Which field of a message says when it was made.

    It may be written in short, as the path of a field of type ``builtin_interfaces/msg/Time`` (``header.stamp``), as
    ``none``, or, of an observation, as ``received``.

    Attributes:
        field: path of the field; ``none``: the message has no stamp; ``received`` (observations): the time at which
            the message arrived.
        unit: of a field that is a number: ``s``, ``ms``, ``us`` or ``ns``; left out for fields of type Time.
        bits: of a counter that wraps: the number of bits after which it begins anew.
    """

    field: str = entry(PATH)
    unit: Literal["s", "ms", "us", "ns"] | None = entry(word("s", "ms", "us", "ns"), None)
    bits: int | None = entry(whole(1, 64), None)


def _stamp(allowed: str) -> Kind:
    return record_or(
        Stamp,
        PATH,
        allowed,
        lambda text: Stamp(field=text),
        lambda stamp: stamp.field if stamp == Stamp(field=stamp.field) else None,
    )


STAMP = _stamp("the path of a field, none, or a section: {field: timestamp, unit: us}")
OBSERVED_STAMP = _stamp("the path of a field, received, none, or a section: {field: timestamp, unit: us, bits: 32}")

_CONSTANT = Kind("a number, text, true or false", {"type": ["number", "string", "boolean"], "nonFinite": "nan"})
FILL_VALUE = Kind(
    "a constant (a number, .nan, true, false, text, task.NAME), or a list of them",
    {"anyOf": [dict(_CONSTANT.schema), {"type": "array", "items": dict(_CONSTANT.schema), "minItems": 1}]},
    lambda value: tuple(value) if isinstance(value, list) else value,
    lambda value: list(value) if isinstance(value, tuple) else value,
)
FILL: Kind = map_of(FILL_VALUE, "a section: path of a field: its constant", PATH)
Fill = Mapping[str, FillValue]
"""Path of a field: its constant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """How the robot says which command it applies, from which the action delay is measured.

    Attributes:
        topic: on which it says so.
        type: of the message; left out where exactly one type is on the topic.
        stamp: the field in which the command's own stamp comes back.
        qos: of the subscription.
    """

    topic: str = entry(TOPIC)
    type: str | None = entry(MESSAGE, None)
    stamp: Stamp = entry(STAMP)
    qos: Qos | None = entry(QOS, None)


Values = Any
"""Numbers of a part: one float, which stands for all, or a tuple of floats, one a value."""
