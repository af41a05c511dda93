"""A program that flies an environment and ends: ``agent.py WAY INIT NAMESPACE FILE``.

INIT says when it calls ``rclpy.init()``: ``before`` the environment is made, ``after``, or ``never``. It flies with the
command 1.0 and ends when its standard input is closed, by a signal where WAY is one. It writes the time (s, monotonic)
into FILE when it ends of its own accord. The safe action is 0.0. It catches what a ROS program catches:
KeyboardInterrupt and ExternalShutdownException.
"""

import select
import signal
import sys
import time
from pathlib import Path

import numpy as np
import rclpy
from gymnasium import spaces
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from std_msgs.msg import Float64

from rtgym_ros import RealTimeEnv
from rtgym_ros.ros.ros_interface import RosInterface

FULL_SPEED = np.ones(1, dtype=np.float32)


class Robot(RosInterface):
    """Sends a speed, observes a state."""

    fails = False

    def __init__(self, namespace, node):
        super().__init__("agent_env", namespace, node=node)
        self._state = self.subscribe_latest(Float64, "state")
        self._command = self.advertise_command(Float64, "command")

    def get_observation_space(self):
        return spaces.Tuple([spaces.Box(-1.0, 1.0, shape=(1,))])

    def get_action_space(self):
        return spaces.Box(-1.0, 1.0, shape=(1,))

    def get_default_action(self):
        return np.full(1, 0.5, dtype=np.float32)

    def get_safe_action(self):
        return np.zeros(1, dtype=np.float32)

    def reset(self, seed=None, options=None):
        self.wait_for_observations()
        return self._observe(), {}

    def get_obs_rew_terminated_info(self):
        if self.fails:
            raise ValueError("the sensor is broken")
        self._state.pull()
        return self._observe(), 0.0, False, {}

    def send_control(self, control):
        self._command.publish(Float64(data=float(control[0])))

    def _observe(self):
        return [np.array([self._state.latest.data], dtype=np.float32)]


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell ignores for what runs in the background
    way, init, namespace = sys.argv[1:4]
    if init == "before":
        rclpy.init()
    node, context = None, None
    if way == "handed_in":
        if init != "before":
            context = Context()
            context.init(args=["agent"])
        node = Node("agent", context=context)
    config = {
        "interface": Robot,
        "interface_args": (namespace, node),
        "time_step_duration": 0.02,
        "agent_timeout": 0.2,
        "ep_max_length": 10**9,
    }
    env = RealTimeEnv(config)
    if init == "after":
        rclpy.init()
    env.reset()
    while way in ("sigint", "sigterm") or not select.select([sys.stdin], [], [], 0.0)[0]:
        env.step(FULL_SPEED)
    Path(sys.argv[4]).write_text(str(time.monotonic()))
    end(way, env, context)
    return env  # so that nothing has closed it when the program ends


def fly_on(env):
    for _ in range(1000):
        env.step(FULL_SPEED)


def end(way, env, context):
    if way == "close":
        env.close()
    elif way == "sys_exit":
        sys.exit(3)
    elif way == "exception":
        raise ZeroDivisionError("a mistake of the user's")
    elif way == "rclpy_shutdown":
        rclpy.try_shutdown()
        if sys.argv[2] != "never":
            fly_on(env)
    elif way == "handed_in":
        context.shutdown() if context is not None else rclpy.shutdown()
        fly_on(env)
    elif way == "interface_fails":
        env.interface.fails = True
        try:
            fly_on(env)
        except ValueError:
            time.sleep(2.0)  # the robot is stopped when it happens, not when the program ends
    elif way == "silence":
        time.sleep(60.0)


if __name__ == "__main__":
    try:
        kept = main()
    except KeyboardInterrupt:
        sys.exit(130)
    except ExternalShutdownException:
        sys.exit(4)
