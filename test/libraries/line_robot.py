"""A robot in this process for the tests of learning libraries, in real time, and what all of them ask of it."""

from __future__ import annotations

import math

import gymnasium
import numpy as np
from gymnasium import spaces

import rtgym_ros

ENV_ID = "rtgym_ros:rtgym_ros/RealTime-v1"
"""With the prefix that imports the package where the id is not known yet: in a worker process."""

TIME_KEYS = {
    "time_step_index",
    "time_step_nominal_start",
    "time_step_start",
    "time_step_lateness",
    "time_step_overrun",
    "time_step_timed_out",
    "capture_time",
}


class Line(rtgym_ros.RealTimeGymInterface):
    """A point on a line that is to be brought to 0.

    Args:
        form: of the observation: ``"box"``, ``"dict"`` or ``"tuple"``.
    """

    def __init__(self, form="box"):
        self.form = form
        self.place = 0.0
        self.speed = 0.0
        self.waits = 0

    def get_observation_space(self):
        place = spaces.Box(-10.0, 10.0, (1,))
        return {"box": place, "dict": spaces.Dict({"place": place}), "tuple": spaces.Tuple([place])}[self.form]

    def get_action_space(self):
        return spaces.Box(-1.0, 1.0, (1,))

    def get_default_action(self):
        return np.zeros(1, np.float32)

    def send_control(self, control):
        self.speed = float(control[0])

    def reset(self, seed=None, options=None):
        self.place = float(self.np_random.uniform(-1, 1))
        return self.observation(), {"goal": 0.0}

    def observation(self):
        place = np.array([self.place], np.float32)
        return {"box": place, "dict": {"place": place}, "tuple": [place]}[self.form]

    def get_obs_rew_terminated_info(self):
        self.place = float(np.clip(self.place + 0.1 * self.speed, -10, 10))
        return self.observation(), -abs(self.place), False, {"goal": 0.0}

    def wait(self):
        self.waits += 1


def config(form="box", **entries):
    """Return a configuration of short time-steps that never time out."""
    return {
        "interface": "line_robot:Line",
        "interface_kwargs": {"form": form},
        "time_step_duration": 0.002,
        "time_step_timeout_factor": math.inf,
        "ep_max_length": 20,
        "act_buf_len": 2,
        **entries,
    }


def make(form="box", env_id=ENV_ID, **entries):
    return gymnasium.make(env_id, config=config(form, **entries))
