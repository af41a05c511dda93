"""Statuses as messages on ``/diagnostics``."""

from __future__ import annotations

from collections.abc import Iterable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from rtgym_ros.ros.diagnostics.status import Status


class DiagnosticsPublisher:
    """Publishes the statuses of a node, each under the node's full name.

    Args:
        node: whose statuses they are.
        part: put behind the name of the node, of several environments on one.
    """

    def __init__(self, node: Node, part: str = "") -> None:
        self._node = node
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._prefix = f"{node.get_fully_qualified_name().lstrip('/')}{part and f'/{part}'}: "

    def publish(self, statuses: Iterable[Status]) -> None:
        """Publish them in one message."""
        array = DiagnosticArray()
        array.header.stamp = self._node.get_clock().now().to_msg()
        array.status = [
            DiagnosticStatus(
                level=bytes([status.level]),
                name=self._prefix + status.name,
                message=status.message,
                hardware_id=self._node.get_namespace().strip("/"),
                values=[KeyValue(key=key, value=str(value)) for key, value in status.values.items()],
            )
            for status in statuses
        ]
        self._publisher.publish(array)

    def close(self) -> None:
        """End the publisher."""
        self._node.destroy_publisher(self._publisher)
