"""Parameters with a type, a description and bounds; what is unknown or out of bounds is refused at start-up."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterAlreadyDeclaredException,
)
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from rtgym_ros.core.errors import ConfigError, nearest
from rtgym_ros.ros.arguments import parameters_of_all_nodes

_MISSPELLED = 0.75
"""How close (of 1.0) the name of a parameter for all nodes must be to one of ours to be a misspelling of it."""


class Parameter(Protocol):
    """Something that a node is configured with when it starts."""

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
        read_only: whether it stays as it was when the node was started.
    """

    name: str
    default: float
    low: float
    high: float
    description: str
    read_only: bool = True

    @property
    def descriptor(self) -> ParameterDescriptor:
        """What ``ros2 param describe`` shows."""
        descriptor = ParameterDescriptor(description=self.description, read_only=self.read_only)
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


def declare(
    node: Node,
    parameters: Sequence[Parameter],
    *,
    complete: bool = True,
    arguments: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Declare ``parameters`` on ``node`` and return their values by name; one that is declared already is read.

    Args:
        node: whose parameters they are.
        parameters: what to declare.
        complete: whether these are the last ones, so that overrides which are still unknown are refused.
        arguments: the command line that the node was made with; ``sys.argv`` by default.

    Raises:
        ConfigError: a value is of the wrong type or out of bounds, or an override names no parameter of the node.
    """
    values = {parameter.name: _declare_one(node, parameter) for parameter in parameters}
    if complete:
        refuse_unknown_overrides(node, arguments)
    return values


def refuse_unknown_overrides(node: Node, arguments: Sequence[str] | None = None) -> None:
    """Raise for overrides that no parameter of ``node`` takes up: rclpy ignores them in silence.

    What is set on every node of the process (``-p NAME:=VALUE``, ``/**`` of a file: a launch file's ``SetParameter``,
    the parameters of another node in the same program) is refused only where it looks like a misspelling.

    Args:
        node: with all of its parameters declared.
        arguments: the command line that it was made with; ``sys.argv`` by default.

    Raises:
        ConfigError: naming the node, the parameter and the nearest one that is known.
    """
    unknown = [
        name for name in _overrides(node) if not node.has_parameter(name) and not name.startswith("qos_overrides.")
    ]
    if not unknown:
        return
    known = [name for name in node.get_parameters_by_prefix("") if not name.startswith("qos_overrides.")]
    of_all_nodes = _set_on_all_nodes(sys.argv if arguments is None else arguments)
    for name in unknown:
        if name not in of_all_nodes or nearest(name, known, cutoff=_MISSPELLED):
            raise ConfigError(f"node {node.get_fully_qualified_name()} has no parameter {name!r}{nearest(name, known)}")


def _declare_one(node: Node, parameter: Parameter) -> Any:
    try:
        return node.declare_parameter(parameter.name, parameter.default, parameter.descriptor).value
    except ParameterAlreadyDeclaredException:  # by another environment on the same node
        return node.get_parameter(parameter.name).value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        given = _overrides(node)[parameter.name].value
        raise ConfigError(
            f"parameter {parameter.name!r} of node {node.get_fully_qualified_name()} must be {parameter.allowed}, "
            f"got {given!r}"
        ) from error


def _overrides(node: Node) -> dict[str, RosParameter[Any]]:
    """Return what the command line and its files say for this node, declared or not."""
    with node.handle:
        overrides: dict[str, RosParameter[Any]] = node.handle.get_parameters(RosParameter)
    return overrides


def _set_on_all_nodes(arguments: Sequence[str]) -> set[str]:
    names, files = parameters_of_all_nodes(arguments)
    for file in files:
        try:
            content = yaml.safe_load(Path(file).read_text()) or {}
            names.update(_flat_names(content["/**"]["ros__parameters"]))
        except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
            continue  # rcl has read the file; what it says of all nodes in another form counts as said of this one
    return names


def _flat_names(parameters: dict[str, Any], prefix: str = "") -> set[str]:
    names = set()
    for name, value in parameters.items():
        names |= _flat_names(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}"}
    return names
