"""One part of the action: which command carries it, within which limits, and what is sent when nothing is trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rtgym_ros.contract.grammar.kind import Kind, Plain, entry
from rtgym_ros.contract.grammar.kinds import (
    ACTION_NAME,
    CODE,
    FLAG,
    IDENTIFIER,
    NUMBERS,
    PAIR,
    PATH,
    POSITIVE,
    POSITIVES,
    TEXT,
    TOPIC,
    any_of,
    list_of,
    one_or_list,
    pattern,
    record,
    word,
)
from rtgym_ros.contract.records.conversion import CONVERT, Conversion
from rtgym_ros.contract.records.topic import FILL, QOS, STAMP, Echo, Fill, Qos, Stamp

Quantity = Literal["position", "velocity", "acceleration", "effort"]
CommandValue = float | Literal["last", "measured"]

DTYPE = word("float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


@dataclass(frozen=True, slots=True, kw_only=True)
class FillCommand:
    """The last values once more, with other constants beside them: damping, for example.

    Attributes:
        fill: path of a field: its constant, in place of those of the part's own ``fill``.
    """

    fill: Fill = entry(FILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the derivatives of a command, counted from the last one that was sent; only those above the quantity.

    Attributes:
        max_velocity: of positions, per second.
        max_acceleration: of positions and velocities, per second (squared).
        max_deceleration: the same while the velocity becomes smaller; left out: max_acceleration. Of efforts: how fast
            they may come to zero, per second.
        max_jerk: of positions, velocities and accelerations. Of efforts: how fast they may change, per second.
    """

    max_velocity: float | tuple[float, ...] | None = entry(POSITIVES, None)
    max_acceleration: float | tuple[float, ...] | None = entry(POSITIVES, None)
    max_deceleration: float | tuple[float, ...] | None = entry(POSITIVES, None)
    max_jerk: float | tuple[float, ...] | None = entry(POSITIVES, None)


_COMMAND_VALUE = any_of(
    "a number, last or measured",
    Kind("a number", {"type": "number"}),
    word("last", "measured"),
    build=lambda value: value if isinstance(value, str) else float(value),
)
_COMMAND_VALUES = one_or_list(_COMMAND_VALUE, "a number, last or measured, or a list of them, one a value")
_FILL_COMMAND = record(FillCommand)


def _build_command(value: Plain) -> Any:
    return _FILL_COMMAND.build(value) if isinstance(value, dict) else _COMMAND_VALUES.build(value)


def _plain_command(value: Any) -> Plain:
    return _FILL_COMMAND.plain(value) if isinstance(value, FillCommand) else _COMMAND_VALUES.plain(value)


COMMAND = any_of(
    "a number, last or measured, a list of them, one a value, or {fill: {...}}",
    _COMMAND_VALUE,
    list_of(_COMMAND_VALUE, "a list of numbers, last and measured"),
    _FILL_COMMAND,
    build=_build_command,
    plain=_plain_command,
)

_PAIRS = list_of(PAIR, "a list of pairs")
AGENT_RANGE = any_of(
    "a pair: [lowest, highest], or a list of pairs, one a value",
    PAIR,
    _PAIRS,
    build=lambda value: (_PAIRS if isinstance(value[0], list) else PAIR).build(value),
    plain=lambda value: (_PAIRS if isinstance(value[0], tuple) else PAIR).plain(value),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionPart:
    """One part of the action.

    ``low``, ``high``, ``default``, ``safe``, ``max_step`` and ``limits`` are in the units of the message's fields, in
    the order of ``fields``; a number stands for all values. Parts of one topic and QoS are one command.

    Attributes:
        topic: on which the command is published; or ``goal``.
        goal: name of the ROS action to which the command is sent as a goal (a gripper); nobody waits for its result.
        type: of the message (or ROS action); left out where exactly one type is on the topic.
        fields: paths of the fields that the values are written to.
        names: joints: the values of each field are for these, and ``name`` or ``joint_names`` is filled with them.
        prefix: text before each of ``names``.
        low: lowest values.
        high: highest values.
        quantity: what each value is, one word or one a value; decides which limits there are.
        default: sent by ``reset()``; left out: 0 (velocities, accelerations, efforts), or what ``first_from`` shows
            (positions).
        safe: sent on any failure, between episodes, and by the guard; left out: ``default`` (velocities, efforts);
            required of positions and accelerations. ``last`` repeats the last command, ``measured`` is what
            ``first_from`` shows.
        agent_range: what the agent's values are mapped from: a pair, or a pair a value; left out: ``low`` to ``high``.
        convert: conversions from the message to the agent, which are inverted: ``scale``, ``offset``, ``axes``,
            ``quaternion`` (xyzw, wxyz), ``function`` with ``inverse``.
        dtype: of the agent's values.
        relative: the action is added to the last command; the sum is clipped.
        max_step: the most that a relative action adds.
        limits: of the derivatives.
        first_from: part of the observation (same number and order) from which the first command after a start, reset,
            wait, intervention or failure is limited; required of limited positions.
        out_of_bounds: what is done with an action outside of its space: ``clip``, or ``fail``.
        fill: constants of other fields, written before ``fields``.
        stamp: field for the time at which the command is sent; left out: ``header.stamp`` where there is one.
        checksum: ``module:function``, called with the finished message, which it changes in place.
        rate: at which the command is repeated between time-steps (Hz); left out: once a time-step.
        between: what the repeated commands are: the same (``hold``), or on a line to the next (``linear``, one
            time-step later).
        qos: of the publisher.
        echo: how the robot says which command it applies.
    """

    name: str
    fields: tuple[str, ...] = entry(list_of(PATH, "a list of paths of fields"))
    low: float | tuple[float, ...] = entry(NUMBERS)
    high: float | tuple[float, ...] = entry(NUMBERS)
    quantity: Quantity | tuple[Quantity, ...] = entry(
        one_or_list(
            word("position", "velocity", "acceleration", "effort"),
            "position, velocity, acceleration or effort, or a list of them, one a value",
        )
    )
    topic: str | None = entry(TOPIC, None)
    goal: str | None = entry(ACTION_NAME, None)
    type: str | None = entry(
        pattern("a message type: package/msg/Name", "[a-z][a-z0-9_]*/(?:msg|action)/[A-Z][A-Za-z0-9]*"), None
    )
    names: tuple[str, ...] | None = entry(list_of(TEXT, "a list of names of joints"), None)
    prefix: str = entry(TEXT, "")
    default: CommandValue | tuple[CommandValue, ...] | FillCommand | None = entry(COMMAND, None)
    safe: CommandValue | tuple[CommandValue, ...] | FillCommand | None = entry(COMMAND, None)
    agent_range: tuple[float, float] | tuple[tuple[float, float], ...] | None = entry(AGENT_RANGE, None)
    convert: tuple[Conversion, ...] = entry(CONVERT, ())
    dtype: str = entry(DTYPE, "float32")
    relative: bool = entry(FLAG, False)
    max_step: float | tuple[float, ...] | None = entry(POSITIVES, None)
    limits: Limits | None = entry(record(Limits), None)
    first_from: str | None = entry(IDENTIFIER, None)
    out_of_bounds: Literal["clip", "fail"] = entry(word("clip", "fail"), "clip")
    fill: Fill | None = entry(FILL, None)
    stamp: Stamp | None = entry(STAMP, None)
    checksum: str | None = entry(CODE, None)
    rate: float | None = entry(POSITIVE, None)
    between: Literal["hold", "linear"] = entry(word("hold", "linear"), "hold")
    qos: Qos | None = entry(QOS, None)
    echo: Echo | None = entry(record(Echo), None)

    def default_command(self) -> CommandValue | tuple[CommandValue, ...] | FillCommand:
        """Return ``default`` as it stands, or what stands for it where it is left out."""
        if self.default is not None:
            return self.default
        words = (self.quantity,) if isinstance(self.quantity, str) else self.quantity
        values = tuple("measured" if word == "position" else 0.0 for word in words)
        return values if len(set(values)) > 1 else values[0]  # type: ignore[return-value]

    def safe_command(self) -> CommandValue | tuple[CommandValue, ...] | FillCommand:
        """Return ``safe`` as it stands, or ``default`` where it is left out."""
        return self.default_command() if self.safe is None else self.safe
