"""Parameters with a type, a description and bounds; what is unknown or out of bounds is refused at start-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from rtgym_ros.core.errors import ConfigError, nearest


@dataclass(frozen=True)
class Bounded:
    """A number that a node is configured with, once, when it starts.

    Attributes:
        name: of the parameter.
        default: a float, or an int for an integer parameter.
        low: smallest allowed value.
        high: largest allowed value.
        description: what it does, with its unit.
    """

    name: str
    default: float
    low: float
    high: float
    description: str

    @property
    def descriptor(self) -> ParameterDescriptor:
        """What ``ros2 param describe`` shows."""
        descriptor = ParameterDescriptor(description=self.description, read_only=True)
        if isinstance(self.default, int):
            descriptor.integer_range = [IntegerRange(from_value=int(self.low), to_value=int(self.high), step=0)]
        else:
            descriptor.floating_point_range = [FloatingPointRange(from_value=self.low, to_value=self.high, step=0.0)]
        return descriptor


def declare(node: Node, parameters: Sequence[Bounded]) -> dict[str, Any]:
    """Declare ``parameters`` on ``node`` and return their values by name.

    Raises:
        ConfigError: a value is of the wrong type or out of bounds, or an override names no parameter of the node.
    """
    values = {parameter.name: _declare_one(node, parameter) for parameter in parameters}
    # rclpy keeps what --params-file and -p said for this node here, and ignores in silence what nobody declares.
    for name in node._parameter_overrides:
        if not node.has_parameter(name):
            known = [parameter.name for parameter in parameters]
            raise ConfigError(f"node {node.get_fully_qualified_name()} has no parameter {name!r}{nearest(name, known)}")
    return values


def _declare_one(node: Node, parameter: Bounded) -> Any:
    try:
        return node.declare_parameter(parameter.name, parameter.default, parameter.descriptor).value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        kind = "an integer" if isinstance(parameter.default, int) else "a decimal number"
        given = node._parameter_overrides[parameter.name].value
        raise ConfigError(
            f"parameter {parameter.name!r} of node {node.get_fully_qualified_name()} must be {kind} "
            f"in [{parameter.low}, {parameter.high}], got {given!r}"
        ) from error
