"""The whole contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rtgym_ros.contract.grammar.kind import Kind, entry
from rtgym_ros.contract.grammar.kinds import CODE, IDENTIFIER, named, record, whole, word
from rtgym_ros.contract.grammar.source import Source
from rtgym_ros.contract.grammar.time_entries import TIME
from rtgym_ros.contract.records.action_part import ActionPart
from rtgym_ros.contract.records.gate import Gate
from rtgym_ros.contract.records.guard import Guard
from rtgym_ros.contract.records.observation_part import ObservationPart
from rtgym_ros.contract.records.step import HEARTBEATS, STEPS, Heartbeat, Step

VERSION = 1
"""Of the grammar that is read here."""

_FORM = word("dict", "tuple", "flat")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpacesSection:
    """What the agent's spaces look like.

    Attributes:
        observation: ``dict`` (a part a key, the action buffer under ``action_buffer``), ``tuple`` (parts in order,
            then the actions of the buffer, as Real-Time Gym's), or ``flat``: one Box.
        action: ``dict``, ``tuple`` or ``flat``, of the parts in order.
    """

    observation: Literal["dict", "tuple", "flat"] = entry(_FORM, "dict")
    action: Literal["dict", "tuple", "flat"] = entry(_FORM, "flat")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSection:
    """What is to be done.

    Attributes:
        class_: ``module:Class`` of a :class:`rtgym_ros.contract.task.Task`, imported when an environment is made.
        args: keyword arguments of the class.
    """

    class_: str = entry(CODE, key="class")
    args: Mapping[str, Any] = entry(
        Kind("a section: name of the argument: its value", {"type": "object", "minProperties": 1, "free": True}),
        factory=dict,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The contract of a robot, read and checked.

    Attributes:
        contract: version of the grammar: 1.
        robot: name of the robot, an identifier.
        time: of the time-steps: entries of the environment's configuration, ``phase`` and ``late_action``.
        spaces: what the agent's spaces look like.
        action: the parts of the action, by name, in order.
        observation: the parts of the observation, by name, in order.
        gates: conditions that have to hold, by name.
        start: steps of the first ``reset()``, and of each one that finds a gate not holding or the environment FAILED.
        reset: steps of each ``reset()``, once the gates hold.
        wait: steps of ``wait()``.
        stop: steps when the environment closes or fails, after the safe action, if ``start`` had begun.
        heartbeats: messages that are sent from the first step of ``start`` until ``stop`` begins.
        guard: the process between agent and robot; left out: there is none.
        task: reward, termination and reset; left out: the reward is 0 and nothing terminates.
    """

    contract: int = entry(whole(1, 1))
    robot: str = entry(IDENTIFIER)
    action: Mapping[str, ActionPart] = entry(named(ActionPart, "a section: name of the part: the part"))
    observation: Mapping[str, ObservationPart] = entry(named(ObservationPart, "a section: name of the part: the part"))
    time: Mapping[str, Any] = entry(TIME, factory=dict)
    spaces: SpacesSection = entry(record(SpacesSection), SpacesSection())
    gates: Mapping[str, Gate] = entry(named(Gate, "a section: name of the gate: the gate"), factory=dict)
    start: tuple[Step, ...] = entry(STEPS, ())
    reset: tuple[Step, ...] = entry(STEPS, ())
    wait: tuple[Step, ...] = entry(STEPS, ())
    stop: tuple[Step, ...] = entry(STEPS, ())
    heartbeats: tuple[Heartbeat, ...] = entry(HEARTBEATS, ())
    guard: Guard | None = entry(record(Guard), None)
    task: TaskSection | None = entry(record(TaskSection), None)
    source: Source = field(default_factory=Source, compare=False, repr=False)
    warnings: tuple[str, ...] = field(default=(), compare=False, repr=False)
