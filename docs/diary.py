"""A robot that writes down what is done with it, on a clock that waits for you."""

import numpy as np
from gymnasium import spaces

from rtgym_ros import RealTimeEnv, RealTimeGymInterface
from rtgym_ros.core.time_source import FakeTimeSource

MS = 1_000_000  # ns


class Diary(RealTimeGymInterface):
    """Actions are numbers: a0 is the default action, a9 the safe action."""

    def __init__(self, clock, ends_at=None):
        self.clock = clock
        self.start_ns = clock.now_ns()
        self.ends_at = ends_at  # the observation that terminates the episode
        self.reset_takes_ms = 0
        self.captures = 0

    def write(self, what):
        now_ms = (self.clock.now_ns() - self.start_ns) / MS
        print(f"{now_ms:4.0f} ms  {what}")

    def get_time_source(self):
        return self.clock

    def get_observation_space(self):
        return spaces.Tuple([spaces.Discrete(100)])

    def get_action_space(self):
        return spaces.Discrete(10)

    def get_default_action(self):
        return np.int64(0)

    def get_safe_action(self):
        return np.int64(9)

    def send_control(self, control):
        self.write(f"send a{control}")

    def get_obs_rew_terminated_info(self):
        self.captures += 1
        self.write(f"capture o{self.captures}")
        return [np.int64(self.captures)], 0.0, self.captures == self.ends_at, {}

    def reset(self, seed=None, options=None):
        self.write("reset")
        self.clock.sleep_until_ns(self.clock.now_ns() + self.reset_takes_ms * MS)
        return [np.int64(0)], {}

    def wait(self):
        self.write("wait")

    def close(self):
        self.write("close")


def make_env(ends_at=None, **config):
    """Return an environment of 50 ms time-steps around a diary, and its clock."""
    clock = FakeTimeSource()
    config = {"interface": Diary, "interface_args": (clock, ends_at), **config}
    return RealTimeEnv(config), clock


def buffer_of(observation):
    """Return the action buffer: what follows the one element of the interface."""
    return " ".join(f"a{action}" for action in observation[1:])
