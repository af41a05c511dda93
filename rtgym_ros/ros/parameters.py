"""Parameters with a type, a description and bounds; what is unknown or out of bounds is refused at start-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from rtgym_ros.core.errors import ConfigError, nearest


class Parameter(Protocol):
    """Something that a node is configured with, once, when it starts."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def default(self) -> Any:
        """Its value where none is given, whose type is that of the parameter."""

    @property
    def descriptor(self) -> ParameterDescriptor:
        """What ``ros2 param describe`` shows."""

    @property
    def allowed(self) -> str:
        """What a value must be, for error messages."""


@dataclass(frozen=True)
class Bounded:
    """A number.

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

    @property
    def allowed(self) -> str:
        """What a value must be, for error messages."""
        kind = "an integer" if isinstance(self.default, int) else "a decimal number"
        return f"{kind} in [{self.low}, {self.high}]"


@dataclass(frozen=True)
class Text:
    """A text.

    Attributes:
        name: of the parameter.
        default: where none is given.
        description: what it does.
    """

    name: str
    default: str
    description: str

    @property
    def descriptor(self) -> ParameterDescriptor:
        """What ``ros2 param describe`` shows."""
        return ParameterDescriptor(description=self.description, read_only=True)

    @property
    def allowed(self) -> str:
        """What a value must be, for error messages."""
        return "a text"


@dataclass(frozen=True)
class Flag:
    """True or false.

    Attributes:
        name: of the parameter.
        default: where none is given.
        description: what it does when it is true.
    """

    name: str
    default: bool
    description: str

    @property
    def descriptor(self) -> ParameterDescriptor:
        """What ``ros2 param describe`` shows."""
        return ParameterDescriptor(description=self.description, read_only=True)

    @property
    def allowed(self) -> str:
        """What a value must be, for error messages."""
        return "true or false"


def declare(node: Node, parameters: Sequence[Parameter]) -> dict[str, Any]:
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


def _declare_one(node: Node, parameter: Parameter) -> Any:
    try:
        return node.declare_parameter(parameter.name, parameter.default, parameter.descriptor).value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        given = node._parameter_overrides[parameter.name].value
        raise ConfigError(
            f"parameter {parameter.name!r} of node {node.get_fully_qualified_name()} must be {parameter.allowed}, "
            f"got {given!r}"
        ) from error
