"""A robot that is in this process and takes its time: 50 time-steps a second, an episode a second."""

import gymnasium
import numpy as np
from gymnasium import spaces

from rtgym_ros import RealTimeEnv, RealTimeGymInterface

ID = "real_time_robot-v0"
TIME_STEP_S = 0.02
EPISODE_TIME_STEPS = 50
# As much as a busy machine may be late. Whoever waits for a network that is cut is later.
TIMEOUT_FACTOR = 50.0


class Cart(RealTimeGymInterface):
    """Is pushed to and fro, and should stay at 0."""

    def __init__(self):
        self._position = np.zeros(1, np.float32)

    def get_observation_space(self):
        return spaces.Tuple((spaces.Box(-1.0, 1.0, (1,), np.float32),))

    def get_action_space(self):
        return spaces.Box(-1.0, 1.0, (1,), np.float32)

    def get_default_action(self):
        return np.zeros(1, np.float32)

    def reset(self, seed=None, options=None):
        self._position = self.np_random.uniform(-1.0, 1.0, 1).astype(np.float32)
        return [self._position], {}

    def send_control(self, control):
        self._position = np.clip(self._position + 0.1 * control, -1.0, 1.0).astype(np.float32)

    def get_obs_rew_terminated_info(self):
        return [self._position], -float(abs(self._position[0])), False, {}


def make(render_mode=None):
    return RealTimeEnv(
        {
            "interface": Cart,
            "time_step_duration": TIME_STEP_S,
            "start_obs_capture": TIME_STEP_S,
            "time_step_timeout_factor": TIMEOUT_FACTOR,
            "ep_max_length": EPISODE_TIME_STEPS,
        },
        render_mode=render_mode,
    )


gymnasium.register(ID, make, nondeterministic=True)
