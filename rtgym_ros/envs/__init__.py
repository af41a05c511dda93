"""Real-time Gymnasium environments: the interface that a user writes and the environment that runs it."""

from rtgym_ros.envs.default_config import DEFAULT_CONFIG_DICT
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.real_time_env import RealTimeEnv, RealTimeEnvTS

__all__ = ["DEFAULT_CONFIG_DICT", "RealTimeEnv", "RealTimeEnvTS", "RealTimeGymInterface"]
