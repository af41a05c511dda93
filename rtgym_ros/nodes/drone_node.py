"""The simulated drone as a node: commands in, poses out, behind the tutorial's random delays."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped

from rtgym_ros.nodes.robot_node import SENSOR_QOS, RobotNode
from rtgym_ros.nodes.robot_parameters import common_parameters
from rtgym_ros.nodes.robot_program import run_robot
from rtgym_ros.robots.drone.simulated_drone import DroneParameters, SimulatedDrone
from rtgym_ros.robots.simulated_robot import Sample
from rtgym_ros.robots.truth_log import TruthSink
from rtgym_ros.ros.parameters import Bounded
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_time

_DEFAULTS = DroneParameters(command_timeout=0.5)


class DroneNode(RobotNode[tuple[float, float]]):
    """Topics ``cmd_vel`` in, ``pose`` and ``applied_action`` out, around a :class:`SimulatedDrone`."""

    echo_topic = "applied_action"
    echo_qos = SENSOR_QOS
    parameters = (
        *common_parameters(_DEFAULTS, "hover"),
        Bounded("max_speed", _DEFAULTS.max_speed, 0.01, 100.0, "limit of the norm of the velocity (m/s)"),
        Bounded("world_size", _DEFAULTS.world_size, 0.1, 1000.0, "the position stays in [-world_size, world_size] (m)"),
    )

    def __init__(self, session: RosSession) -> None:
        super().__init__(session)
        self._pose = self.node.create_publisher(PoseStamped, "pose", SENSOR_QOS)
        self.subscribe_commands(
            TwistStamped, "cmd_vel", lambda message: (message.twist.linear.x, message.twist.linear.y)
        )

    def make_robot(
        self, values: dict[str, Any], rng: np.random.Generator, start_ns: int, truth: TruthSink
    ) -> SimulatedDrone:
        """Return a drone at the origin."""
        return SimulatedDrone(replace(_DEFAULTS, **values), rng, start_ns, truth)

    def publish(self, sample: Sample[tuple[float, float]]) -> None:
        """Publish the pose."""
        pose = PoseStamped()
        pose.header.stamp = to_time(sample.stamp_ns)
        pose.header.frame_id = "map"
        pose.pose.position.x, pose.pose.position.y = sample.reading
        self._pose.publish(pose)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; return 0, or 2 for bad arguments."""
    return run_robot(
        "drone_node", "Simulated RC drone of the tutorial, on ROS 2 topics.", "drone", DroneNode, arguments
    )


if __name__ == "__main__":
    sys.exit(main())
