"""What a time-step by a contract costs, beside a class that somebody has written for the same robot.

    ./dev shell -c "python -m benchmarks.contract_step [TIME_STEPS]"

Both environments fly the tutorial's drone to a target, that of the contract is ``rtgym_ros/Drone-v0``. In each
time-step five poses and five echoes have arrived, the newest pose is the observation, delays are measured, and one
command is published. Time stands still in between, so that nothing is waited for; a figure is CPU time of the thread
that calls ``step()``. The two take turns, a time-step each.
"""

from __future__ import annotations

import os
import sys
import time
from math import nan
from statistics import median

os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

import gymnasium
import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped, TwistStamped
from gymnasium import spaces
from rtgym_ros.msg import AppliedAction

import rtgym_ros  # noqa: F401
from rtgym_ros.core.time_source import NS_PER_S, FakeTimeSource, to_s
from rtgym_ros.robots.drone.task import draw_target, score
from rtgym_ros.ros.contract_interface import ContractInterface
from rtgym_ros.ros.drone_env import CONTRACT
from rtgym_ros.ros.header_fields import HeaderFields
from rtgym_ros.ros.ros_interface import RosInterface
from rtgym_ros.ros.stamps import to_time

DEEP, SAMPLING_S, TARGET = 5, 0.004, 1.3
XY, COMMAND_STAMP = HeaderFields("dd"), HeaderFields("iI")


class HandWritten(RosInterface):
    """What one would write: the newest position, and the delay of the last command that the robot has told of."""

    def __init__(self, namespace: str) -> None:
        super().__init__("hand_written", namespace)
        self.pose = self.subscribe_latest(PoseStamped, "pose", depth=32)
        self.applied = self.subscribe_latest(AppliedAction, "applied_action", depth=32)
        self.cmd_vel = self.advertise_command(TwistStamped, "cmd_vel")
        self.position = np.zeros(2, np.float32)
        self.target = np.zeros(2, np.float32)
        self.applied_ns, self.delay = 0, nan

    def get_observation_space(self):
        return spaces.Tuple([spaces.Box(-bound, bound, (1,)) for bound in (1.0, 1.0, 0.5, 0.5)])

    def get_action_space(self):
        return spaces.Box(-2.0, 2.0, (2,))

    def get_default_action(self):
        return np.zeros(2, np.float32)

    def get_time_source(self):
        super().get_time_source()
        return FakeTimeSource()

    def reset(self, seed=None, options=None):
        self.target = draw_target(self.np_random)
        return self.observe(), self.info()

    def get_obs_rew_terminated_info(self):
        return self.observe(), *score(self.position, self.target), self.info()

    def send_control(self, control):
        command = TwistStamped()
        command.twist.linear.x, command.twist.linear.y = float(control[0]), float(control[1])
        self.cmd_vel.publish(command)

    def observe(self):
        for raw in self.applied.pull():
            sec, nanosec = COMMAND_STAMP.read(raw.data)
            command_ns = sec * NS_PER_S + nanosec
            if command_ns > self.applied_ns:
                self.applied_ns, self.delay = command_ns, to_s(raw.stamp_ns - command_ns)
        newer = self.pose.pull()
        if newer:
            self.position = np.array(XY.read(newer[-1].data), np.float32)
        return [np.array([value], np.float32) for value in (*self.position, *self.target)]

    def info(self):
        return {"observation_delay": self.pose.age, "action_delay": self.delay, "age": self.get_ages()}


class Stepped(ContractInterface):
    """By the contract, on time that stands still."""

    def get_time_source(self):
        super().get_time_source()
        return FakeTimeSource()

    def wait_for_observations(self):
        self._parts.pull()


class Robot:
    """Publishes in this process what the drone would."""

    def __init__(self, node, namespace: str) -> None:
        self.pose = node.create_publisher(PoseStamped, f"{namespace}/pose", 32)
        self.applied = node.create_publisher(AppliedAction, f"{namespace}/applied_action", 32)
        node.create_subscription(TwistStamped, f"{namespace}/cmd_vel", self.hear, 1)
        self.node, self.command_stamp, self.ends = node, to_time(0), (self.pose, self.applied)

    def hear(self, command) -> None:
        self.command_stamp = command.header.stamp

    def tell(self) -> None:
        rclpy.spin_once(self.node, timeout_sec=0.0)
        stamp = to_time(time.time_ns())
        pose = PoseStamped()
        pose.header.stamp = stamp
        pose.pose.position.x = 0.9  # out of reach of every target
        self.pose.publish(pose)
        applied = AppliedAction(command_stamp=self.command_stamp)
        applied.header.stamp = stamp
        self.applied.publish(applied)


def measure(time_steps: int) -> dict[str, float]:
    """Return the median CPU time of ``step()`` of each (s)."""
    rclpy.init()
    node = rclpy.create_node("robot")
    namespaces = {"class": "/measured/by_class", "contract": "/measured/by_contract"}
    robots = {name: Robot(node, namespace) for name, namespace in namespaces.items()}
    envs = {
        "class": gymnasium.make(
            "real-time-gym-v1",
            config={
                "interface": HandWritten,
                "interface_kwargs": {"namespace": namespaces["class"]},
                "act_buf_len": 4,
                "reset_act_buf": False,
            },
        ),
        "contract": gymnasium.make(
            "rtgym_ros/Contract-v0",
            contract=CONTRACT,
            config={"ep_max_length": np.inf},
            namespace=namespaces["contract"],
            interface=Stepped,
        ),
    }
    spent: dict[str, list[float]] = {name: [] for name in envs}
    try:
        for robot in robots.values():
            while any(end.get_subscription_count() < 1 for end in robot.ends):
                time.sleep(0.01)
        for _ in range(20):  # a reader may know of its writer later than that of the reader
            for robot in robots.values():
                robot.tell()
            time.sleep(0.05)
        for env in envs.values():
            env.reset()
        action = np.array([0.5, -0.5], np.float32)
        for number in range(time_steps):
            for _ in range(DEEP):
                for robot in robots.values():
                    robot.tell()
                time.sleep(SAMPLING_S)
            for name in sorted(envs, reverse=number % 2 == 0):
                env = envs[name].unwrapped
                began = time.thread_time_ns()
                env.step(action)
                spent[name].append((time.thread_time_ns() - began) / 1e9)
    finally:
        for env in envs.values():
            env.close()
        node.destroy_node()
        rclpy.shutdown()
    return {name: median(times) for name, times in spent.items()}


def main() -> int:
    """Print the figures; return 1 where the contract costs more than it may."""
    costs = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    ratio = costs["contract"] / costs["class"]
    for name, cost in costs.items():
        print(f"by a {name:8s}  {1e6 * cost:6.0f} us a time-step")
    print(f"ratio          {ratio:6.2f}  allowed: {TARGET}")
    return int(ratio > TARGET)


if __name__ == "__main__":
    sys.exit(main())
