"""Real-time Gymnasium environments: the interface that a user writes and the environment that runs it."""

from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.real_time_env import DEFAULT_CONFIG_DICT, RealTimeEnv, RealTimeEnvTS

__all__ = ["DEFAULT_CONFIG_DICT", "RealTimeEnv", "RealTimeEnvTS", "RealTimeGymInterface"]
