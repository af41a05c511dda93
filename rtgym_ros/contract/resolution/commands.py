"""Parts of the action against their message types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rtgym_ros.contract.actions.part_command import PartCommand
from rtgym_ros.contract.conversions.chain import ConversionChain, Load
from rtgym_ros.contract.conversions.converter import one_each
from rtgym_ros.contract.grammar.source import Key
from rtgym_ros.contract.messages.command_message import Written
from rtgym_ros.contract.messages.command_writer import CommandWriter
from rtgym_ros.contract.messages.layout import StructType
from rtgym_ros.contract.messages.selection import select
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.resolution.located import check_paths, located
from rtgym_ros.contract.resolution.observations import ResolvedObservation

Checksum = Callable[[Any], object]


@dataclass(frozen=True)
class ResolvedCommand:
    """What makes the commands of one topic, or the goals of one ROS action.

    Attributes:
        parts: of the action that it carries, by name, in order.
        writer: of its messages; takes the values of all parts, in order.
        safe_writer: the same with the constants of ``safe: {fill: ...}``; :attr:`writer` where there are none.
    """

    parts: Mapping[str, PartCommand]
    writer: CommandWriter
    safe_writer: CommandWriter


def resolve_command(
    contract: Contract,
    names: Sequence[str],
    layout: StructType,
    duration: float,
    load: Load | None = None,
    checksum: Checksum | None = None,
) -> ResolvedCommand:
    """Return what makes the commands of the parts ``names``, which share a topic (or goal).

    Args:
        contract: read before.
        names: of the parts, in order.
        layout: of the message type; of the goal's, for a ROS action.
        duration: of a time-step (s).
        load: imports the functions of ``convert``.
        checksum: the function of ``checksum``, imported.

    Raises:
        ContractError: an entry does not fit the message type; it says where.
    """
    source = contract.source
    commands: dict[str, PartCommand] = {}
    for name in names:
        part, key = contract.action[name], ("action", name)
        check_paths(source, key, layout, part.fields, part.names, growing=True)
        with located(source, key):
            selections = [select(layout, path, part.names, growing=True) for path in part.fields]
            commands[name] = PartCommand(part, ConversionChain(layout, selections, part.convert, load), duration)
    parts = [contract.action[name] for name in names]
    written = [Written(part.fields, part.names, part.prefix) for part in parts]
    fill: dict[str, Any] = {}
    for part in parts:
        fill |= part.fill or {}
    first: Key = ("action", names[0])
    _check_fill(contract, names, layout, written)
    stamp = next((part.stamp for part in parts if part.stamp is not None), None)
    with located(source, first):
        writer = CommandWriter(layout, written, fill, stamp, checksum)
        safe_fill = dict(fill)
        for command in commands.values():
            safe_fill |= command.safe.fill
        safe_writer = writer if safe_fill == fill else CommandWriter(layout, written, safe_fill, stamp, checksum)
        sizes = [command.action_map.size_in for command in commands.values()]
        low = [bound for part, size in zip(parts, sizes, strict=True) for bound in one_each(part.low, size, "low")]
        high = [bound for part, size in zip(parts, sizes, strict=True) for bound in one_each(part.high, size, "high")]
        writer.check_bounds(low, high)
    return ResolvedCommand(commands, writer, safe_writer)


def check_first_from(contract: Contract, name: str, command: PartCommand, observation: ResolvedObservation) -> None:
    """Hold ``first_from`` of the part ``name`` against the part of the observation that it names.

    Raises:
        ContractError: that part has another number of values before ``convert``, or is an image.
    """
    size = 0 if observation.reader.raw is None else observation.reader.raw.size
    if size != command.action_map.size_in:
        part = contract.action[name].first_from
        raise contract.source.error(
            ("action", name, "first_from"),
            f"{part} has {size} values before convert, and the command {command.action_map.size_in}; "
            "allowed: a part of the same number, in the same order",
        )


def _check_fill(contract: Contract, names: Sequence[str], layout: StructType, written: Sequence[Written]) -> None:
    """Try each constant alone, so that an error has its line."""
    for name in names:
        for path, value in (contract.action[name].fill or {}).items():
            with located(contract.source, ("action", name, "fill", path)):
                CommandWriter(layout, written, {path: value})
