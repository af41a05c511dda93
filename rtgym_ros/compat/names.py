"""What is found under the names of Real-Time Gym's modules, and what comes nearest to the rest."""

from __future__ import annotations

from typing import Any

from rtgym_ros.compat.environments import RealTimeEnv, RealTimeEnvTS
from rtgym_ros.compat.older_generation import GymRealTimeInterface, OlderGenerationEnv
from rtgym_ros.compat.plain_interface import PlainRealTimeGymInterface
from rtgym_ros.core.errors import nearest
from rtgym_ros.envs.default_config import DEFAULT_CONFIG_DICT
from rtgym_ros.robots.drone.dummy_rc_drone import DummyRCDrone

_INTERFACE = {"RealTimeGymInterface": PlainRealTimeGymInterface}
_CONFIG = {"DEFAULT_CONFIG_DICT": DEFAULT_CONFIG_DICT}
_ENVS = {"RealTimeEnv": RealTimeEnv, "RealTimeEnvTS": RealTimeEnvTS}
_DRONE = {"DummyRCDrone": DummyRCDrone}

_OLDER_INTERFACE = {"GymRealTimeInterface": GymRealTimeInterface}
# Its episodes were over after 1000 time-steps unless a program said otherwise.
_OLDER_CONFIG = {
    "DEFAULT_CONFIG_DICT": {**DEFAULT_CONFIG_DICT, "interface": GymRealTimeInterface, "ep_max_length": 1000}
}
_OLDER_ENVS = {"RealTimeEnv": OlderGenerationEnv}

MODULES: dict[str, dict[str, Any]] = {
    "rtgym": {**_INTERFACE, **_CONFIG, **_DRONE},
    "rtgym.envs": {**_INTERFACE, **_ENVS},
    "rtgym.envs.real_time_env": {**_INTERFACE, **_CONFIG, **_ENVS},
    "rtgym.envs.utils": {},
    "rtgym.envs.utils.benchmark": {},
    "rtgym.tuto": {},
    "rtgym.tuto.dummy_drone": _DRONE,
    "gym_real_time": {**_OLDER_INTERFACE, **_OLDER_CONFIG, **_DRONE},
    "gym_real_time.envs": {**_OLDER_INTERFACE, **_OLDER_ENVS},
    "gym_real_time.envs.real_time_env": {**_OLDER_INTERFACE, **_OLDER_CONFIG, **_OLDER_ENVS},
    "gym_real_time.tuto": {},
    "gym_real_time.tuto.dummy_drone": _DRONE,
}
"""The modules of Real-Time Gym, parents first, with what they define."""

PACKAGES = tuple(name for name in MODULES if "." not in name)
"""The packages that are stood in for."""

IDS = {"real-time-gym-v1": RealTimeEnv, "real-time-gym-ts-v1": RealTimeEnvTS}
"""The environments of Real-Time Gym 0.16."""

OLDER_IDS = ("real-time-gym-v0", "gym-rt-v0")
"""Environments of the older generation, as ``gymnasium.make`` knows them where one of the packages is imported."""

_REPLACED = {
    "Benchmark": "rtgym_ros.core.benchmark.PolyakBenchmark",
    "TraceBenchmark": "rtgym_ros.core.benchmark.TraceBenchmark",
    "clip": "numpy.clip",
    "tuto": "python -m rtgym_ros.nodes.drone_tutorial",
}


def missing(module: str, name: str) -> str:
    """Say that ``module`` has no ``name`` here, and what comes nearest to it."""
    hint = f"; the nearest is {_REPLACED[name]}" if name in _REPLACED else nearest(name, MODULES.get(module, ()))
    return f"{module}.{name} is not in rtgym_ros.compat, which stands in for {module.partition('.')[0]}{hint}"
