"""One part of the observation: which fields it is made of, and when it is too old to be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rtgym_ros.contract.grammar.kind import entry
from rtgym_ros.contract.grammar.kinds import (
    MESSAGE,
    NUMBERS,
    PATH,
    POSITIVE,
    TEXT,
    TOPIC,
    any_of,
    list_of,
    whole,
    word,
)
from rtgym_ros.contract.records.action_part import DTYPE
from rtgym_ros.contract.records.conversion import CONVERT, Conversion
from rtgym_ros.contract.records.topic import OBSERVED_STAMP, QOS, Qos, Stamp

MAX_AGE = any_of(
    "a number of seconds above 0, or none",
    POSITIVE,
    word("none"),
    build=lambda value: value if value == "none" else float(value),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationPart:
    """One part of the observation.

    ``low`` and ``high`` are what the agent sees, after ``convert``; a number stands for all values. Parts of one topic
    and QoS are one message: one subscription, one age.

    Attributes:
        topic: on which the message comes.
        type: of the message; left out where exactly one type is on the topic.
        fields: paths of the fields; left out: ``data`` with an ``image`` conversion, ``ranges`` with a ``ranges`` one.
        names: joints: the values of each field for these, looked up in ``name`` or ``joint_names`` of the message.
        prefix: text before each of ``names``.
        convert: conversions, in order.
        low: lowest values; left out: the lowest of an integer ``dtype``, or no bound.
        high: highest values; left out: the highest of an integer ``dtype``, or no bound.
        dtype: of the values.
        max_age: the oldest that the observation may be at its capture (s), or ``none``; left out: the larger of 1 s
            and 5 time-steps.
        when_stale: what happens when it is older: ``warn``, ``truncate``, or ``fail``.
        out_of_bounds: what happens when a value is out of bounds: ``warn``, ``clip``, ``truncate`` or ``fail``.
        history: number of captures that the agent sees, oldest first, shape (n, k); left out: one, shape (k,).
        stamp: field that says when the robot sampled it; left out: ``header.stamp``, or ``received`` without one.
        qos: of the subscription.
    """

    name: str
    topic: str = entry(TOPIC)
    type: str | None = entry(MESSAGE, None)
    fields: tuple[str, ...] = entry(list_of(PATH, "a list of paths of fields"), ())
    names: tuple[str, ...] | None = entry(list_of(TEXT, "a list of names of joints"), None)
    prefix: str = entry(TEXT, "")
    convert: tuple[Conversion, ...] = entry(CONVERT, ())
    low: float | tuple[float, ...] | None = entry(NUMBERS, None)
    high: float | tuple[float, ...] | None = entry(NUMBERS, None)
    dtype: str = entry(DTYPE, "float32")
    max_age: float | Literal["none"] | None = entry(MAX_AGE, None)
    when_stale: Literal["warn", "truncate", "fail"] = entry(word("warn", "truncate", "fail"), "fail")
    out_of_bounds: Literal["warn", "clip", "truncate", "fail"] = entry(word("warn", "clip", "truncate", "fail"), "warn")
    history: int | None = entry(whole(1, 10_000), None)
    stamp: Stamp | None = entry(OBSERVED_STAMP, None)
    qos: Qos | None = entry(QOS, None)
