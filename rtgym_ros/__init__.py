"""Real-time Gymnasium environments on ROS 2.

Importing this package needs Gymnasium and NumPy alone; what needs ROS 2 lives in :mod:`rtgym_ros.ros` and is imported
when an environment that uses it is made.
"""

from pkgutil import extend_path

# The messages are generated: from the source tree they are those of the installed package.
__path__ = extend_path(__path__, __name__)

from rtgym_ros.compat.older_generation import GymRealTimeInterface
from rtgym_ros.envs.default_config import DEFAULT_CONFIG_DICT
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.real_time_env import RealTimeEnv, RealTimeEnvTS
from rtgym_ros.envs.registration import register_environments
from rtgym_ros.robots.drone.dummy_rc_drone import DummyRCDrone

__all__ = [
    "DEFAULT_CONFIG_DICT",
    "DummyRCDrone",
    "GymRealTimeInterface",
    "RealTimeEnv",
    "RealTimeEnvTS",
    "RealTimeGymInterface",
]

register_environments()
