"""Makes the inputs of the guard from its contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtgym_ros.contract.actions.part_command import PartCommand
from rtgym_ros.contract.conversions.converter import one_each
from rtgym_ros.contract.grammar.rules.guard import JOY, guard_timeout
from rtgym_ros.contract.grammar.source import Key
from rtgym_ros.contract.guard.command_input import CommandInput
from rtgym_ros.contract.guard.joystick import JoystickMap
from rtgym_ros.contract.messages.field_path import FieldPathError
from rtgym_ros.contract.messages.field_reader import FieldReader
from rtgym_ros.contract.messages.layout import StructType
from rtgym_ros.contract.messages.stamp_reader import StampReader
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.records.guard import Guard, Input
from rtgym_ros.contract.resolution.located import located
from rtgym_ros.core.time_source import to_ns
from rtgym_ros.ros.contract.quality_of_service import to_qos_profile
from rtgym_ros.ros.contract.topic_table import TopicTable, deserialize_of
from rtgym_ros.ros.guard.input_topic import InputTopic, Read

Subscribe = Callable[[Any, str, Any], Any]
"""Subscribes: message class, name as the contract has it, QoS."""


@dataclass(frozen=True)
class Carrier:
    """A topic of commands.

    Attributes:
        topic: as the contract has it.
        layout: of its messages.
        parts: of the action that it carries, in order.
    """

    topic: str
    layout: StructType
    parts: Mapping[str, PartCommand]


def make_inputs(
    contract: Contract,
    carriers: Sequence[Carrier],
    topics: TopicTable,
    subscribe: Subscribe,
    report: Callable[[str, str], None],
) -> tuple[list[CommandInput], list[InputTopic]]:
    """Return the inputs of the contract in its order, and their topics.

    Args:
        contract: with a guard.
        carriers: the topics of the action.
        topics: finds the layouts of message types.
        subscribe: makes a subscription.
        report: called with what cannot be used: a kind, of which one a second is told, and the line.

    Raises:
        ContractError: an input does not fit its message type, or the action.
    """
    guard = contract.guard or Guard()
    inputs: list[CommandInput] = []
    found: list[InputTopic] = []
    for name, record in guard.inputs.items():
        key: Key = ("guard", "inputs", name)
        plans = _plans(contract, name, record, key, carriers, topics)
        timeout = guard_timeout(contract) if record.timeout is None else record.timeout
        streams = [list(readers) for _, _, readers in plans]
        made = CommandInput(name, record.priority, to_ns(timeout), streams)
        inputs.append(made)
        for stream, (topic, layout, readers) in enumerate(plans):
            subscription = subscribe(layout.message_class, topic, to_qos_profile(record.qos, "command"))
            stamp = _stamp(contract, record, layout, list(readers))
            found.append(InputTopic(subscription, made, stream, readers, stamp, report))
    return inputs, found


def _plans(
    contract: Contract, name: str, record: Input, key: Key, carriers: Sequence[Carrier], topics: TopicTable
) -> list[tuple[str, StructType, dict[str, Read]]]:
    """Return the topics of an input: name, layout, and what reads each part."""
    if record.topic is None:
        return [
            (
                f"{name}/{carrier.topic.lstrip('/')}",
                carrier.layout,
                {
                    part: _reader(contract, key, carrier.layout, part, command)
                    for part, command in carrier.parts.items()
                },
            )
            for carrier in carriers
        ]
    commands = {part: command for carrier in carriers for part, command in carrier.parts.items()}
    first = carriers[0]
    layout = first.layout if record.type is None else topics.layout((*key, "type"), record.type, record.topic)
    fields = record.fields
    if fields is None:
        given: Mapping[str, Sequence[str] | None] = dict.fromkeys(first.parts)
    else:
        given = fields if isinstance(fields, Mapping) else {next(iter(commands)): fields}
    for part in given:
        if part not in commands:
            raise contract.source.error(
                (*key, "fields", part), f"is sent as a goal, which no guard sees; allowed: {', '.join(commands)}"
            )
    return [
        (
            record.topic,
            layout,
            {
                part: _reader(contract, key, layout, part, commands[part], paths, is_joystick=record.type == JOY)
                for part, paths in given.items()
            },
        )
    ]


def _reader(
    contract: Contract,
    key: Key,
    layout: StructType,
    part: str,
    command: PartCommand,
    paths: Sequence[str] | None = None,
    is_joystick: bool = False,
) -> Read:
    record = contract.action[part]
    # The fields of the part itself are those of the command, joints by their names.
    names, prefix = (record.names, record.prefix) if paths is None else (None, "")
    where = ("action", part) if paths is None else key
    with located(contract.source, where):
        fields = FieldReader(layout, record.fields if paths is None else paths, names, prefix, deserialize_of(layout))
        size = command.action_map.size_in
        if fields.size != size or fields.has_text:
            raise FieldPathError(f"fields: {fields.size} values for the {size} of {part}; allowed: as many numbers")
        if not is_joystick:
            return fields.read
        low, high = one_each(record.low, size, "low"), one_each(record.high, size, "high")
        quantities = [record.quantity] * size if isinstance(record.quantity, str) else list(record.quantity)
        joystick = JoystickMap(np.asarray(low), np.asarray(high), quantities)

    def read(data: bytes) -> Any:
        axes = fields.read(data)
        return None if axes is None else joystick.values(axes)

    return read


def _stamp(contract: Contract, record: Input, layout: StructType, parts: Sequence[str]) -> StampReader:
    """Return what reads the stamps of an input: as the command's where it is of the same type, else the header's."""
    stamp = None
    if record.type is None:
        stamp = next((contract.action[part].stamp for part in parts if contract.action[part].stamp is not None), None)
    return StampReader(layout, stamp, deserialize_of(layout))
