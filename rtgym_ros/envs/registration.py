"""The ids that ``gymnasium.make`` knows after ``import rtgym_ros``."""

from __future__ import annotations

import gymnasium

_ENTRY_POINTS = {
    "real-time-gym-v1": "rtgym_ros.envs.real_time_env:RealTimeEnv",
    "real-time-gym-ts-v1": "rtgym_ros.envs.real_time_env:RealTimeEnvTS",
    "rtgym_ros/Drone-v0": "rtgym_ros.ros.drone_env:make_drone_env",  # by name: it is imported where there is a ROS
}


def register_environments() -> None:
    """Register the environments of this package; twice does no harm."""
    for env_id, entry_point in _ENTRY_POINTS.items():
        if env_id not in gymnasium.registry:
            # A robot is never in the same place twice.
            gymnasium.register(id=env_id, entry_point=entry_point, nondeterministic=True)
