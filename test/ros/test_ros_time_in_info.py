"""The ROS times in info are those of the robot's messages: a flight and a bag can be joined."""

import threading

import numpy as np
import pytest
from geometry_msgs.msg import TwistStamped
from gymnasium import spaces

from rtgym_ros.core.time_source import NS_PER_S
from rtgym_ros.envs.real_time_env import RealTimeEnv
from rtgym_ros.ros.ros_interface import RosInterface
from rtgym_ros.ros.session import RosSession

STEPS = 10
ROUNDING_S = 1e-6  # of seconds since 1970 as a float


class Robot(RosInterface):
    """Is sent commands, whose header says when."""

    def __init__(self, namespace):
        super().__init__("robot_env", namespace, ["program"])
        self.command = self.advertise_command(TwistStamped, "command")

    def get_observation_space(self):
        return spaces.Tuple([spaces.Box(-1.0, 1.0, shape=(1,))])

    def get_action_space(self):
        return spaces.Box(-1.0, 1.0, shape=(1,))

    def get_default_action(self):
        return np.zeros(1, dtype=np.float32)

    def reset(self, seed=None, options=None):
        return [np.zeros(1, dtype=np.float32)], {}

    def get_obs_rew_terminated_info(self):
        return [np.zeros(1, dtype=np.float32)], 0.0, False, {}

    def send_control(self, control):
        message = TwistStamped()
        message.twist.linear.x = float(control[0])
        self.command.publish(message)


@pytest.fixture
def commands(namespace):
    """When each command was stamped (s), by its value."""
    stamps = {}

    def note(message):
        stamp = message.header.stamp.sec + message.header.stamp.nanosec / NS_PER_S
        stamps.setdefault(round(message.twist.linear.x, 3), stamp)  # the safe action, at the end, is 0 too

    session = RosSession("bag", namespace, arguments=["program"])
    session.node.create_subscription(TwistStamped, "command", note, 100)
    yield stamps
    session.close()


def test_each_command_was_stamped_in_the_time_step_that_info_tells(namespace, commands):
    config = {"interface": Robot, "interface_args": (namespace,), "time_step_duration": 0.02}
    with RealTimeEnv({**config, "time_step_timeout_factor": 1e6}) as env:
        while not env.interface.node.count_subscribers(env.interface.command.topic):
            threading.Event().wait(0.01)
        env.reset()
        infos = [env.step([(number + 1) / 100])[-1] for number in range(STEPS)]
        while (STEPS - 1) / 100 not in commands:
            threading.Event().wait(0.01)
    assert len(commands) > STEPS / 2  # only the newest has to arrive
    for number, info in enumerate(infos):
        if number / 100 not in commands:
            continue
        start, captured = info["ros_time_step_start"], info["ros_capture_time"]
        assert start - ROUNDING_S <= commands[number / 100] <= captured + ROUNDING_S, number
        assert captured - start == pytest.approx(info["capture_time"] - info["time_step_start"], abs=ROUNDING_S)
