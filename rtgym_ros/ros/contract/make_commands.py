"""Makes the commands of a contract: resolved against their message types, with their publishers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rtgym_ros.contract.load_code import load_code
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.resolution.commands import check_first_from, resolve_command
from rtgym_ros.contract.resolution.observations import resolve_observation
from rtgym_ros.ros.contract.command_sink import CommandSink, GoalSink
from rtgym_ros.ros.contract.commands import TopicCommand
from rtgym_ros.ros.contract.interface_types import InterfaceTypes, message_layout
from rtgym_ros.ros.contract.quality_of_service import to_qos_profile
from rtgym_ros.ros.contract.topic_table import TopicTable, deserialize_of

Advertise = Callable[[Any, str, Any], CommandSink]
"""Advertises a command: message class, name as the contract has it, QoS."""


def make_commands(
    contract: Contract,
    types: InterfaceTypes,
    topics: TopicTable,
    advertise: Advertise,
    make_goal: Callable[[Any, str], GoalSink],
    resolve: Callable[[str], str],
    time_step_duration: float,
    now_ns: Callable[[], int],
    *,
    repeats: bool = True,
    allow_beside: bool = False,
) -> list[TopicCommand]:
    """Return the commands, one a topic and QoS, in the order of the contract.

    Args:
        contract: read before.
        types: finds message classes.
        topics: where the layouts of observations come from.
        advertise: makes a publisher.
        make_goal: makes a sender of goals: type, full name.
        resolve: makes the full name of a topic.
        time_step_duration: (s).
        now_ns: the ROS time (ns).
        repeats: whether ``rate`` is for us to keep (else it is the guard's).
        allow_beside: whether the contract's code may lie beside it.

    Raises:
        ContractError: an entry does not fit its message type.
    """
    groups: dict[tuple[Any, ...], list[str]] = {}
    for name, part in contract.action.items():
        groups.setdefault((part.topic, part.goal, part.qos), []).append(name)
    commands = []
    for names in groups.values():
        parts = [contract.action[name] for name in names]
        first, key = parts[0], ("action", names[0])
        type_name = next((part.type for part in parts if part.type is not None), None)
        checksum_of = next((name for name, part in zip(names, parts, strict=True) if part.checksum is not None), None)
        checksum = None
        if checksum_of is not None:
            code = contract.action[checksum_of].checksum or ""
            checksum = load_code(contract, ("action", checksum_of, "checksum"), code, allow_beside=allow_beside)

        def load(code: str, key: Any = key) -> Any:
            return load_code(contract, (*key, "convert"), code, allow_beside=allow_beside)

        sink: CommandSink
        if first.goal is not None:
            action_type = types.action(key, type_name, resolve(first.goal))
            layout = message_layout(action_type.Goal)
            sink = make_goal(action_type, resolve(first.goal))
        else:
            assert first.topic is not None
            layout = topics.layout(key, type_name, first.topic)
            sink = advertise(layout.message_class, first.topic, to_qos_profile(first.qos, "command"))
        resolved = resolve_command(contract, names, layout, time_step_duration, load, checksum)
        for name, command in resolved.parts.items():
            first_from = contract.action[name].first_from
            if first_from is not None:
                source = contract.observation[first_from]
                seen = topics.layout(("observation", first_from), source.type, source.topic)
                # Only how many values there are before `convert` counts: its functions need not be imported twice.
                observation = resolve_observation(contract, first_from, seen, load, deserialize_of(seen))
                check_first_from(contract, name, command, observation)
        rate = next((part.rate for part in parts if part.rate is not None), None)
        period = time_step_duration if rate is None else 1.0 / rate
        commands.append(TopicCommand(resolved, sink, period, rate is not None and repeats, now_ns))
    return commands
