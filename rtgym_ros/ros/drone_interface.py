"""The tutorial's drone as an interface on ROS 2, and what a robot of your own looks like."""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped
from gymnasium import spaces
from rclpy.context import Context
from rclpy.node import Node

from rtgym_ros.core.time_source import NS_PER_S, to_s
from rtgym_ros.msg import AppliedAction
from rtgym_ros.robots.drone import task
from rtgym_ros.robots.drone.rendering import DroneView
from rtgym_ros.ros.header_fields import HeaderFields
from rtgym_ros.ros.ros_interface import RosInterface

_XY, _COMMAND_STAMP = HeaderFields("dd"), HeaderFields("iI")
"""Of PoseStamped, pose.position.x and y (m); of AppliedAction, command_stamp."""

_REORDERED = 32
"""The drone's radio delivers a sample every 10 ms, up to 3 of them late: this many cover six time-steps."""


class DroneInterface(RosInterface):
    """Flies the drone of ``drone_node`` to a random target (the task of Real-Time Gym's tutorial).

    Observation: x, y, target x, target y, each float32 of shape (1,), in m. Action: velocity x, y, float32, in m/s.
    Info: ``observation_age`` (s), at capture; ``action_delay`` (s), the last one measured, NaN before; ``age`` (s) of
    each topic.

    Args:
        node_name: name of its node.
        namespace: where the drone's topics are.
        node: a node that exists, or a function that returns it, in place of a node of its own.
        context: a context that exists, for a node of its own.
    """

    def __init__(
        self,
        node_name: str = "drone_env",
        namespace: str = "",
        *,
        node: Node | Callable[[], Node] | None = None,
        context: Context | None = None,
    ) -> None:
        super().__init__(node_name, namespace, node=node, context=context)
        self._pose = self.subscribe_latest(PoseStamped, "pose", depth=_REORDERED)
        self._applied = self.subscribe_latest(AppliedAction, "applied_action", depth=_REORDERED)
        self._cmd_vel = self.advertise_command(TwistStamped, "cmd_vel")
        self._target = np.zeros(2, dtype=np.float32)
        self._position = np.zeros(2, dtype=np.float32)
        self._applied_stamp_ns = 0
        self._action_delay = nan
        self._view = DroneView()

    def get_observation_space(self) -> spaces.Tuple[Any]:
        """Return the space of position and target (m)."""
        bounds = (1.0, 1.0, task.TARGET_RANGE, task.TARGET_RANGE)
        return spaces.Tuple([spaces.Box(-bound, bound, shape=(1,), dtype=np.float32) for bound in bounds])

    def get_action_space(self) -> spaces.Box:
        """Return the space of velocities (m/s)."""
        return spaces.Box(-task.MAX_SPEED, task.MAX_SPEED, shape=(2,), dtype=np.float32)

    def get_default_action(self) -> np.ndarray:
        """Hover."""
        return np.zeros(2, dtype=np.float32)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[list[np.ndarray], dict[str, Any]]:
        """Draw a new target; the drone stays where it is."""
        self.wait_for_observations()
        self._target = task.draw_target(self.np_random)
        return self._observe(), self._info()

    def get_obs_rew_terminated_info(self) -> tuple[list[np.ndarray], float, bool, dict[str, Any]]:
        """Return the latest pose, minus the distance, and whether the target is reached."""
        observation = self._observe()
        reward, reached = task.score(self._position, self._target)
        return observation, reward, reached, self._info()

    def send_control(self, control: np.ndarray) -> None:
        """Publish a velocity (m/s)."""
        command = TwistStamped()
        command.twist.linear.x, command.twist.linear.y = float(control[0]), float(control[1])
        self._cmd_vel.publish(command)

    def render(self) -> np.ndarray | None:
        """Return a frame, or show it in a window where the render mode is ``"human"``."""
        return self._view.render(self._position, self._target, self.render_mode)

    def close(self) -> None:
        """Close the window and the node."""
        self._view.close()
        super().close()

    def _observe(self) -> list[np.ndarray]:
        self._measure_action_delay()
        newer = self._pose.pull()
        if newer:
            self._position = np.array(_XY.read(newer[-1].data), dtype=np.float32)
        return [np.array([value], dtype=np.float32) for value in (*self._position, *self._target)]

    def _measure_action_delay(self) -> None:
        for raw in self._applied.pull():
            sec, nanosec = _COMMAND_STAMP.read(raw.data)
            command_ns = sec * NS_PER_S + nanosec
            if command_ns > self._applied_stamp_ns:  # the first sample under a new command
                self._applied_stamp_ns = command_ns
                self._action_delay = to_s(raw.stamp_ns - command_ns)

    def _info(self) -> dict[str, Any]:
        return {"observation_age": self._pose.age, "action_delay": self._action_delay, "age": self.get_ages()}
