"""The ids that ``gymnasium.make`` knows after ``import rtgym_ros``."""

from __future__ import annotations

import gymnasium

_ENTRY_POINTS = {
    "rtgym_ros/RealTime-v1": "rtgym_ros.envs.real_time_env:RealTimeEnv",
    "rtgym_ros/RealTime-ts-v1": "rtgym_ros.envs.real_time_env:RealTimeEnvTS",
    # Real-Time Gym's names of the same, unless it has registered them before.
    "real-time-gym-v1": "rtgym_ros.envs.real_time_env:RealTimeEnv",
    "real-time-gym-ts-v1": "rtgym_ros.envs.real_time_env:RealTimeEnvTS",
    "rtgym_ros/gym-rt-v0": "rtgym_ros.compat.older_generation:OlderGenerationEnv",
    # By name: each is imported where it is made, the first of them where there is a ROS.
    "rtgym_ros/Contract-v0": "rtgym_ros.ros.contract_env:make_contract_env",
    "rtgym_ros/Drone-v0": "rtgym_ros.ros.drone_env:make_drone_env",
    "rtgym_ros/Replay-v0": "rtgym_ros.record.replay_env:ReplayEnv",
    "rtgym_ros/SimulatedDrone-v0": "rtgym_ros.robots.drone.simulated_env:make_simulated_drone_env",
}


def register_environments() -> None:
    """Register the environments of this package; twice does no harm."""
    for env_id, entry_point in _ENTRY_POINTS.items():
        if env_id not in gymnasium.registry:
            # A robot is never in the same place twice. The older generation's observations are not in its spaces:
            # observation_check says so in one line, Gymnasium's checker in ten.
            unchecked = env_id == "rtgym_ros/gym-rt-v0"
            gymnasium.register(env_id, entry_point, nondeterministic=True, disable_env_checker=unchecked)
