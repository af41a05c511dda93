"""Robots that are named in a configuration, as ``module:Class``."""

import numpy as np
from gymnasium import spaces

from rtgym_ros import RealTimeGymInterface


class Still(RealTimeGymInterface):
    """A robot that stands still."""

    def get_observation_space(self):
        return spaces.Tuple((spaces.Box(-1.0, 1.0, (1,)),))

    def get_action_space(self):
        return spaces.Box(-1.0, 1.0, (1,))

    def get_default_action(self):
        return np.zeros(1, np.float32)

    def send_control(self, control):
        pass

    def reset(self, seed=None, options=None):
        return [np.zeros(1, np.float32)], {}

    def get_obs_rew_terminated_info(self):
        return [np.zeros(1, np.float32)], 0.0, False, {}
