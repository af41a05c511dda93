"""Scenes of a task on the topic ``markers``, made into messages off the clock thread."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from visualization_msgs.msg import MarkerArray

from rtgym_ros.contract.task import Scene
from rtgym_ros.ros.stamps import to_time

_PERIOD_S = 0.05


class ScenePublisher:
    """Publishes the newest scene up to 20 times a second, where anybody is subscribed.

    Args:
        node: of the environment; its executor makes the messages.
        topic: full name.
    """

    def __init__(self, node: Node, topic: str) -> None:
        self._node = node
        self._publisher = node.create_publisher(MarkerArray, topic, 1)
        self._newest: tuple[Scene, int] | None = None
        self._functions: dict[str, Callable[..., Any]] = {}
        self._timer = node.create_timer(
            _PERIOD_S,
            self._publish,
            callback_group=MutuallyExclusiveCallbackGroup(),
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )

    def show(self, scene: Scene | None, now_ns: int) -> None:
        """Have a scene published, or none; never waits.

        Args:
            scene: to be seen.
            now_ns: when it was so (ROS time, ns).
        """
        self._newest = None if scene is None else (scene, now_ns)

    def close(self) -> None:
        """End timer and publisher, after the node's callbacks have ended."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def _publish(self) -> None:
        newest, self._newest = self._newest, None
        if newest is None or not self._publisher.get_subscription_count():
            return
        scene, now_ns = newest
        if scene.function not in self._functions:
            module, _, name = scene.function.partition(":")
            self._functions[scene.function] = getattr(import_module(module), name)
        self._publisher.publish(self._functions[scene.function](stamp=to_time(now_ns), **scene.arguments))
