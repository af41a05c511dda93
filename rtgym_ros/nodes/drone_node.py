"""The simulated drone as a node: commands in, poses out, behind the tutorial's random delays."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from threading import Thread
from time import time_ns

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.qos import qos_profile_sensor_data

from rtgym_ros.core.errors import ConfigError, RtgymError
from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.core.time_source import NS_PER_S, to_s
from rtgym_ros.msg import AppliedAction
from rtgym_ros.robots.drone.simulated_drone import DroneParameters, Sample, SimulatedDrone
from rtgym_ros.ros.arguments import own_arguments
from rtgym_ros.ros.command_publisher import COMMAND_QOS
from rtgym_ros.ros.parameters import Bounded, declare
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import header_stamp_ns, to_time

PARAMETERS = (
    Bounded("command_delay_min", 0.02, 0.0, 10.0, "shortest delay of a command (s)"),
    Bounded("command_delay_max", 0.05, 0.0, 10.0, "longest delay of a command (s)"),
    Bounded("observation_delay_min", 0.02, 0.0, 10.0, "shortest delay of an observation (s)"),
    Bounded("observation_delay_max", 0.05, 0.0, 10.0, "longest delay of an observation (s)"),
    Bounded("sampling_period", 0.01, 0.001, 1.0, "between two samples of the position (s)"),
    Bounded("max_speed", 2.0, 0.01, 100.0, "limit of the norm of the velocity (m/s)"),
    Bounded("world_size", 1.0, 0.1, 1000.0, "the position stays in [-world_size, world_size] (m)"),
    Bounded("command_timeout", 0.5, 0.02, 3600.0, "hover when no command has come for this long (s)"),
    Bounded("seed", -1, -1, 2**31 - 1, "of the random delays; -1 draws one"),
)
_LONGEST_WAIT_S = 0.1
"""Between two looks (s): a simulated clock may be set back, and it may stand still while commands come."""

_JUMP_NS = 10 * NS_PER_S
"""A clock that goes on by more between two looks was set (ns)."""


class DroneNode:
    """Topics ``cmd_vel`` in, ``pose`` and ``applied_action`` out, around a :class:`SimulatedDrone`."""

    def __init__(self, session: RosSession) -> None:
        node = session.node
        values = declare(node, PARAMETERS)
        for link in ("command", "observation"):
            low, high = values[f"{link}_delay_min"], values[f"{link}_delay_max"]
            if low > high:
                raise ConfigError(
                    f"parameter '{link}_delay_min' must be at most '{link}_delay_max' ({high}), got {low}"
                )
        seed = values.pop("seed")
        self._parameters = replace(DroneParameters(), **values)
        self._rng = np.random.default_rng(None if seed < 0 else seed)
        self._node = node
        self._clock = node.get_clock()
        self._seen_ns = self._now_ns()
        self._drone = SimulatedDrone(self._parameters, self._rng, self._seen_ns)
        self._pose_publisher = node.create_publisher(PoseStamped, "pose", qos_profile_sensor_data)
        self._applied_publisher = node.create_publisher(AppliedAction, "applied_action", qos_profile_sensor_data)
        # Pulled between two events: an executor's callbacks would make the loop wait for the interpreter lock.
        self._commands = PulledSubscription(node, TwistStamped, "cmd_vel", COMMAND_QOS)

    def fly(self, stop: StopSignal) -> None:
        """Let time pass and publish what comes through the link, until told to stop."""
        wait_s = 0.0
        while not stop.wait(wait_s):
            self._follow_clock()
            for command, information in self._commands.take():
                self._receive(command, information["received_timestamp"])
            for sample in self._drone.advance(self._seen_ns):
                self._publish(sample)
            wait_s = min(max(to_s(self._drone.next_event_ns - self._now_ns()), 0.0), _LONGEST_WAIT_S)

    def _receive(self, command: TwistStamped, received_ns: int) -> None:
        """Send a command through the link, from when it came and not from when it is looked at."""
        velocity = (command.twist.linear.x, command.twist.linear.y)
        if not np.isfinite(velocity).all():
            self._node.get_logger().warning(f"command dropped: velocity {velocity} is not finite")
            return
        came_ns = self._seen_ns - max(time_ns() - received_ns, 0)
        self._drone.command(came_ns, header_stamp_ns(command) or came_ns, velocity)

    def _follow_clock(self) -> None:
        """Read the clock; where it was set, there is nothing to catch up: the drone starts again from the origin."""
        now_ns = self._now_ns()
        if not 0 <= now_ns - self._seen_ns <= _JUMP_NS:
            if self._seen_ns:  # a simulated clock is zero until it is heard for the first time
                self._node.get_logger().warning("the clock was set: the drone starts again from the origin")
            self._drone = SimulatedDrone(self._parameters, self._rng, now_ns)
        self._seen_ns = now_ns

    def _publish(self, sample: Sample) -> None:
        stamp = to_time(sample.stamp_ns)
        pose = PoseStamped()
        pose.header.stamp = stamp
        pose.header.frame_id = "map"
        pose.pose.position.x, pose.pose.position.y = sample.position
        applied = AppliedAction()
        applied.header = pose.header
        if sample.command_stamp_ns is not None:
            applied.command_stamp = to_time(sample.command_stamp_ns)
        # The pose last: who sees it can have seen the command that led to it.
        self._applied_publisher.publish(applied)
        self._pose_publisher.publish(pose)

    def _now_ns(self) -> int:
        return int(self._clock.now().nanoseconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; return 0, or 2 for bad arguments."""
    arguments = sys.argv if arguments is None else arguments
    with StopSignal() as stop:
        try:
            if _parse(own_arguments(arguments)).until_eof:
                Thread(target=_stop_at_eof, args=(stop,), daemon=True).start()
            session = RosSession("drone", arguments=arguments)
            try:
                DroneNode(session).fly(stop)
            finally:
                session.close()
        except RtgymError as error:
            print(f"drone_node: {error}", file=sys.stderr)
            return 2
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = OneLineParser("drone_node", description="Simulated RC drone of the tutorial, on ROS 2 topics.")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input closes, as with the parent")
    return parser.parse_args(arguments)


def _stop_at_eof(stop: StopSignal) -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would be held when the interpreter ends
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
