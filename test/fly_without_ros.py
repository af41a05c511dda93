"""A program that flies where there is no ROS 2: CI runs it with Gymnasium and NumPy alone."""

import importlib.util

import gymnasium
import numpy as np

from rtgym_ros import DEFAULT_CONFIG_DICT, DummyRCDrone, RealTimeGymInterface

assert importlib.util.find_spec("rclpy") is None, "there is a ROS 2 here after all"


class Hover(RealTimeGymInterface):
    """The smallest interface: the position of the drone."""

    def __init__(self):
        self.drone = DummyRCDrone()

    def get_observation_space(self):
        return gymnasium.spaces.Tuple([gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float64)])

    def get_action_space(self):
        return gymnasium.spaces.Box(-2.0, 2.0, (2,), np.float64)

    def get_default_action(self):
        return np.zeros(2)

    def send_control(self, control):
        self.drone.send_control(*control)

    def _observation(self):
        return [np.array(self.drone.get_observation(), dtype=np.float64)]

    def reset(self, seed=None, options=None):
        return self._observation(), {}

    def get_obs_rew_terminated_info(self):
        return self._observation(), 0.0, False, {}


env = gymnasium.make("rtgym_ros/RealTime-v1", config={**DEFAULT_CONFIG_DICT, "interface": Hover})
env.reset(seed=1)
for _ in range(5):
    env.step(env.action_space.sample())
env.close()
print("5 steps flown")
