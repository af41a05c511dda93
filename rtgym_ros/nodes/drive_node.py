"""The simulated differential drive as a node: ``cmd_vel`` in, odometry and laser scans out."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile
from sensor_msgs.msg import LaserScan
from std_srvs.srv import Trigger

from rtgym_ros.nodes.robot_node import SENSOR_QOS, RobotNode
from rtgym_ros.nodes.robot_parameters import common_parameters
from rtgym_ros.nodes.robot_program import run_robot
from rtgym_ros.robots.drive.simulated_drive import RANGE_MAX, RANGE_MIN, DriveParameters, DriveReading, SimulatedDrive
from rtgym_ros.robots.simulated_robot import Sample
from rtgym_ros.robots.truth_log import TruthSink
from rtgym_ros.ros.parameters import Bounded
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_time

_DEFAULTS = DriveParameters(command_timeout=0.5)


class DriveNode(RobotNode[DriveReading]):
    """A :class:`SimulatedDrive` in its room.

    Topics: ``cmd_vel`` (TwistStamped: linear.x, angular.z) in; ``odom``, ``scan`` and ``applied_command`` out.
    Services (``std_srvs/Trigger``): ``reset_odometry`` calls the present place the origin; ``reset_pose`` puts the
    robot back at the start, where the frame of the odometry is that of the world.
    """

    parameters = (
        *common_parameters(_DEFAULTS, "brake"),
        Bounded("max_speed", _DEFAULTS.max_speed, 0.01, 100.0, "limit of the speed (m/s)"),
        Bounded("max_turn_rate", _DEFAULTS.max_turn_rate, 0.01, 100.0, "limit of the turn rate (rad/s)"),
        Bounded("max_acceleration", _DEFAULTS.max_acceleration, 0.01, 1000.0, "limit of the acceleration (m/s^2)"),
        Bounded(
            "max_turn_acceleration",
            _DEFAULTS.max_turn_acceleration,
            0.01,
            1000.0,
            "limit of the angular acceleration (rad/s^2)",
        ),
        Bounded(
            "odometry_drift", _DEFAULTS.odometry_drift, 0.0, 0.5, "standard deviation of each wheel's error (relative)"
        ),
        Bounded("scan_beams", _DEFAULTS.scan_beams, 1, 10_000, "beams of a scan, over the whole turn"),
        Bounded("scan_every", _DEFAULTS.scan_every, 1, 10_000, "samples from one scan to the next"),
    )

    def __init__(self, session: RosSession) -> None:
        super().__init__(session)
        self._odometry = self.node.create_publisher(Odometry, "odom", QoSProfile(depth=10))
        self._scan = self.node.create_publisher(LaserScan, "scan", SENSOR_QOS)
        self.subscribe_commands(
            TwistStamped, "cmd_vel", lambda message: (message.twist.linear.x, message.twist.angular.z)
        )
        self.node.create_service(Trigger, "reset_odometry", self._reset_odometry)
        self.node.create_service(Trigger, "reset_pose", self._reset_pose)

    def make_robot(
        self, values: dict[str, Any], rng: np.random.Generator, start_ns: int, truth: TruthSink
    ) -> SimulatedDrive:
        """Return a drive at the origin."""
        self._parameters = replace(_DEFAULTS, **values)
        return SimulatedDrive(self._parameters, rng, start_ns, truth)

    def publish(self, sample: Sample[DriveReading]) -> None:
        """Publish odometry and, where there is one, the scan."""
        reading, stamp = sample.reading, to_time(sample.stamp_ns)
        odometry = Odometry()
        odometry.header.stamp = stamp
        odometry.header.frame_id, odometry.child_frame_id = "odom", "base_footprint"
        x, y, heading = reading.pose
        pose = odometry.pose.pose
        pose.position.x, pose.position.y = x, y
        pose.orientation.z, pose.orientation.w = math.sin(heading / 2), math.cos(heading / 2)
        odometry.twist.twist.linear.x, odometry.twist.twist.angular.z = reading.speed, reading.turn_rate
        self._odometry.publish(odometry)
        if reading.scan is not None:
            self._publish_scan(reading.scan, stamp)

    def _publish_scan(self, ranges: np.ndarray, stamp: Any) -> None:
        scan = LaserScan()
        scan.header.stamp = stamp
        scan.header.frame_id = "base_scan"
        scan.angle_increment = 2 * math.pi / len(ranges)
        scan.angle_max = 2 * math.pi - scan.angle_increment
        scan.scan_time = self._parameters.sampling_period * self._parameters.scan_every
        scan.range_min, scan.range_max = RANGE_MIN, RANGE_MAX
        scan.ranges = array("f", ranges.astype(np.float32).tobytes())
        self._scan.publish(scan)

    def _reset_odometry(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self.lock:
            self._body.odometry.reset()
        response.success = True
        return response

    def _reset_pose(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self.lock:
            self._body.return_to_start()
        response.success = True
        return response

    @property
    def _body(self) -> Any:
        return self.robot.body


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; return 0, or 2 for bad arguments."""
    return run_robot(
        "drive_node", "Simulated differential drive in a room, on ROS 2 topics.", "drive", DriveNode, arguments
    )


if __name__ == "__main__":
    sys.exit(main())
