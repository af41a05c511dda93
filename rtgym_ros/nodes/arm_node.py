"""The simulated six-joint arm as a node: position commands in, joint states out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory

from rtgym_ros.nodes.robot_node import RobotNode
from rtgym_ros.nodes.robot_parameters import common_parameters
from rtgym_ros.nodes.robot_program import run_robot
from rtgym_ros.robots.arm.kinematics import JOINTS
from rtgym_ros.robots.arm.simulated_arm import ArmParameters, ArmReading, SimulatedArm
from rtgym_ros.robots.simulated_robot import Sample
from rtgym_ros.robots.truth_log import TruthSink, Values
from rtgym_ros.ros.parameters import Bounded
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_time

_DEFAULTS = ArmParameters(command_timeout=0.5)

_REPORTED = sorted(range(len(JOINTS)), key=JOINTS.__getitem__)
"""Joint states come in alphabetical order, as from many drivers: not in the order of commands."""


class ArmNode(RobotNode[ArmReading]):
    """A :class:`SimulatedArm` as ros2_control would present it.

    Topics: ``commands`` (Float64MultiArray, as of a ``forward_command_controller``) or ``joint_trajectory``
    (JointTrajectory: the positions of its first point, whose time is not used) in; ``joint_states`` and
    ``applied_command`` out. Service ``controller_manager/switch_controller`` (``std_srvs/SetBool``): commands act while
    the controller is active, which it is not at the start, nor after an emergency stop.
    """

    command_size = len(JOINTS)
    starts_enabled = False
    parameters = (
        *common_parameters(_DEFAULTS, "tell that no command is applied, and hold the last,"),
        Bounded("servo_time_constant", _DEFAULTS.servo_time_constant, 0.0, 10.0, "first-order lag of the servos (s)"),
        Bounded("servo_dead_time", _DEFAULTS.servo_dead_time, 0.0, 10.0, "before a servo responds at all (s)"),
        Bounded("max_velocity", _DEFAULTS.max_velocity, 0.01, 100.0, "limit of each joint's velocity (rad/s)"),
    )

    def __init__(self, session: RosSession) -> None:
        super().__init__(session)
        self._joint_states = self.node.create_publisher(JointState, "joint_states", QoSProfile(depth=10))
        self.subscribe_commands(Float64MultiArray, "commands", lambda message: tuple(message.data))
        self.subscribe_commands(JointTrajectory, "joint_trajectory", _first_point)
        self.node.create_service(SetBool, "controller_manager/switch_controller", self._switch)

    def make_robot(
        self, values: dict[str, Any], rng: np.random.Generator, start_ns: int, truth: TruthSink
    ) -> SimulatedArm:
        """Return an arm at home."""
        return SimulatedArm(replace(_DEFAULTS, **values), rng, start_ns, truth)

    def publish(self, sample: Sample[ArmReading]) -> None:
        """Publish the joint states."""
        states = JointState()
        states.header.stamp = to_time(sample.stamp_ns)
        states.name = [JOINTS[index] for index in _REPORTED]
        states.position = [sample.reading.positions[index] for index in _REPORTED]
        states.velocity = [sample.reading.velocities[index] for index in _REPORTED]
        self._joint_states.publish(states)

    def _switch(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success = self.set_enabled(request.data)
        state = "active" if self.enabled else "inactive"
        response.message = f"the controller is {state}{'' if response.success else ': emergency stop'}"
        return response


def _first_point(message: JointTrajectory) -> Values:
    if not message.points:
        raise ValueError("a trajectory without points")
    positions = dict(zip(message.joint_names, message.points[0].positions, strict=False))
    missing = [name for name in JOINTS if name not in positions]
    if missing:
        raise ValueError(f"no position for {', '.join(missing)}")
    return tuple(positions[name] for name in JOINTS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; return 0, or 2 for bad arguments."""
    return run_robot("arm_node", "Simulated six-joint arm, on ROS 2 topics.", "arm", ArmNode, arguments)


if __name__ == "__main__":
    sys.exit(main())
