"""Topics of ROS 2 as a recording describes them: type, definition and QoS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_directory
from rclpy.qos import QoSProfile

from rtgym_ros.contract.messages.layout import ArrayType, FieldType, SequenceType, StructType
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.record.recorded_topic import RecordedTopic, qos_text
from rtgym_ros.record.schema import join
from rtgym_ros.ros.contract.interface_types import message_layout


def recorded_topic(
    name: str, message_type: type[Any], qos: QoSProfile, facts: tuple[tuple[str, str], ...] = ()
) -> RecordedTopic:
    """Return the description of a topic.

    Args:
        name: full name.
        message_type: of its messages.
        qos: that ``ros2 bag play`` shall offer it with.
        facts: further metadata.

    Raises:
        ConfigError: the definition of the type is not installed.
    """
    layout = message_layout(message_type)
    text = qos_text(int(qos.history), qos.depth, int(qos.reliability), int(qos.durability))
    type_name = "{}/msg/{}".format(*layout.name.split("/"))
    return RecordedTopic(name, type_name, definition_of(layout), text, facts)


def definition_of(layout: StructType) -> str:
    """Return the definition of a message type and of all within it, from the ``.msg`` files of their packages.

    Raises:
        ConfigError: a file is not there.
    """
    within: dict[str, StructType] = {}
    _collect(layout, within)
    within.pop(layout.name, None)
    return join(_definition(layout.name), {name: _definition(name) for name in within})


def _collect(kind: FieldType, found: dict[str, StructType]) -> None:
    if isinstance(kind, ArrayType | SequenceType):
        _collect(kind.element, found)
    elif isinstance(kind, StructType) and kind.name not in found:
        found[kind.name] = kind
        for field in kind.fields.values():
            _collect(field, found)


def _definition(name: str) -> str:
    package, name = name.split("/")
    file = Path(get_package_share_directory(package)) / "msg" / f"{name}.msg"
    try:
        text = file.read_text()
    except OSError as error:
        raise ConfigError(f"{package}/msg/{name} cannot be recorded: {file}: {error.strerror}") from error
    return text if text.endswith("\n") else f"{text}\n"
