"""What a recording of all topics has beside what a contract reads: own commands, diagnostics, parameters."""

from __future__ import annotations

from time import time_ns
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import ParameterEvent
from rclpy.node import Node
from rclpy.qos import QoSProfile, qos_profile_parameter_events
from rclpy.serialization import serialize_message

from rtgym_ros.record.recorder import Recorder
from rtgym_ros.ros.command_publisher import CommandPublisher
from rtgym_ros.ros.contract.recorded_type import recorded_topic
from rtgym_ros.ros.pulled_subscription import PulledSubscription

_TOPICS: tuple[tuple[type[Any], str, QoSProfile], ...] = (
    (DiagnosticArray, "/diagnostics", QoSProfile(depth=100)),
    (ParameterEvent, "/parameter_events", qos_profile_parameter_events),
)


class FlightRecord:
    """Records each command as it is sent, and ``/diagnostics`` and ``/parameter_events`` of all nodes at each capture.

    Belongs to the thread that sends and captures. Log and publish times are as in
    :class:`~rtgym_ros.ros.contract.message_record.MessageRecord`, by this machine's clock; the publish time of a
    command is its log time. Goals of actions are no messages, and are not recorded.

    Args:
        recorder: writes them.
        node: to subscribe with.
        commands: the publishers.

    Raises:
        ConfigError: the definition of a message is not installed.
    """

    def __init__(self, recorder: Recorder, node: Node, commands: list[CommandPublisher[Any]]) -> None:
        self._recorder = recorder
        topics = {each: recorded_topic(each.topic, each.message_type, each.qos) for each in commands}
        self._subscriptions = [
            PulledSubscription(node, message_type, topic, qos) for message_type, topic, qos in _TOPICS
        ]
        self._topics: dict[Any, Any] = topics | {
            each: recorded_topic(each.topic, each.message_type, each.qos) for each in self._subscriptions
        }
        self._sequences: dict[Any, int] = dict.fromkeys(self._topics, 0)
        self._commands = commands
        for each in commands:
            each.tap = self._sent

    def pull(self) -> None:
        """Record what has arrived."""
        for each in self._subscriptions:
            for message in each.take_serialised():
                self._write(each, time_ns(), message.received_ns, message.data)

    def close(self) -> None:
        """Record nothing more."""
        for command in self._commands:
            command.tap = None
        for subscription in self._subscriptions:
            subscription.close()

    def _sent(self, publisher: CommandPublisher[Any], message: Any) -> None:
        now_ns = time_ns()
        self._write(publisher, now_ns, now_ns, message if isinstance(message, bytes) else serialize_message(message))

    def _write(self, source: Any, log_time_ns: int, publish_time_ns: int, data: bytes) -> None:
        sequence = self._sequences[source]
        self._sequences[source] = sequence + 1
        self._recorder.write_message(self._topics[source], log_time_ns, publish_time_ns, sequence, data)
