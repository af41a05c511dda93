"""The commands that leave the guard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from rtgym_ros.contract.guard.command_stamps import CommandStamps
from rtgym_ros.contract.guard.guarded_command import Sent
from rtgym_ros.contract.messages.command_writer import CommandWriter
from rtgym_ros.core.time_source import NS_PER_S
from rtgym_ros.msg import GuardedCommand as GuardedCommandMessage
from rtgym_ros.msg import NamedArray
from rtgym_ros.ros.command_publisher import CommandPublisher
from rtgym_ros.ros.contract.commands import TopicCommand
from rtgym_ros.ros.stamps import to_time

_END_NS = NS_PER_S << 31
"""The first time that no stamp can hold (ns)."""


class GuardOutput:
    """Publishes the commands of one topic, and on ``~/sent`` whose they were.

    Args:
        node: of the guard.
        command: parts and writers.
        publisher: of the topic.
        tolerance_ns: how far the stamp of an input may be from now (ns).
        now_ns: the ROS time (ns).
    """

    def __init__(
        self,
        node: Node,
        command: TopicCommand,
        publisher: CommandPublisher[Any],
        tolerance_ns: int,
        now_ns: Callable[[], int],
    ) -> None:
        self.publisher = publisher
        self._command = command
        self._stamps = CommandStamps(tolerance_ns)
        self._now_ns = now_ns
        self._told = node.create_publisher(GuardedCommandMessage, "~/sent", 10)

    def send(self, sent: Sent, locked: bool) -> None:
        """Publish a command."""
        stamp_ns = self._stamps.next_ns(self._now_ns(), sent.stamp_ns)
        writer: CommandWriter = self._command.safe_writer if sent.source is None else self._command.writer
        self.publisher.publish(writer.write(sent.values, stamp_ns))
        told = GuardedCommandMessage(source=sent.source or "", locked=locked)
        told.header.stamp = to_time(stamp_ns)
        if sent.stamp_ns is not None and 0 <= sent.stamp_ns < _END_NS:
            told.input_stamp = to_time(sent.stamp_ns)
        first = 0
        for name, part in self._command.parts.items():
            size = part.action_map.size_in
            values = sent.values[first : first + size].tolist()
            told.executed.append(NamedArray(name=name, dtype="<f8", shape=[size], float64_values=values))
            first += size
        self._told.publish(told)
