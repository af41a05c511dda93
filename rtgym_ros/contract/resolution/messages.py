"""Conditions, and messages of constants alone, against their message types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rtgym_ros.contract.grammar.source import Key, Source
from rtgym_ros.contract.messages.command_writer import CommandWriter
from rtgym_ros.contract.messages.constants import constants_near
from rtgym_ros.contract.messages.field_path import FieldPathError
from rtgym_ros.contract.messages.field_reader import Deserialize, FieldReader
from rtgym_ros.contract.messages.layout import StructType
from rtgym_ros.contract.records.gate import Condition
from rtgym_ros.contract.records.topic import Stamp
from rtgym_ros.contract.resolution.located import located
from rtgym_ros.contract.sequences.conditions import with_constants


@dataclass(frozen=True)
class ResolvedCondition:
    """What reads the field of a gate's condition.

    Attributes:
        condition: with constants in place of their names.
        reader: of the field.
    """

    condition: Condition
    reader: FieldReader

    def value(self, buffer: bytes) -> Any:
        """Return the field of a serialised message, a number, truth value or text; None where it has none."""
        values = self.reader.values(buffer)
        return None if values is None else values[0]


def resolve_condition(
    source: Source, key: Key, condition: Condition, layout: StructType, deserialize: Deserialize | None = None
) -> ResolvedCondition:
    """Return what reads the field of ``condition``.

    Raises:
        ContractError: the field is not one number or text, or there is no such constant.
    """
    with located(source, (*key, "field")):
        reader = FieldReader(layout, [condition.field], deserialize=deserialize)
        if reader.size != 1:
            raise FieldPathError(f"field path {condition.field!r}: it has {reader.size} values; allowed: one")
    with located(source, key):
        route = reader.selections[0].leaves[0].route
        return ResolvedCondition(with_constants(condition, constants_near(layout, route), not reader.has_text), reader)


def resolve_constants(
    source: Source,
    key: Key,
    layout: StructType,
    fill: Mapping[str, Any] | None,
    stamp: Stamp | None = None,
    checksum: Callable[[Any], object] | None = None,
) -> CommandWriter:
    """Return what writes a message of constants: a request, a goal, a heartbeat, what a step publishes.

    Raises:
        ContractError: a constant does not fit; it says where.
    """
    for path, value in (fill or {}).items():
        with located(source, (*key, "fill", path)):
            CommandWriter(layout, [], {path: value})
    with located(source, key):
        return CommandWriter(layout, [], fill, stamp, checksum)
