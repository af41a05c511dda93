"""The import alias: Real-Time Gym's module names lead to this package."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from multiprocessing import spawn
from types import ModuleType
from typing import Any

import gymnasium

from rtgym_ros.compat.gym_alias import GymFinder
from rtgym_ros.compat.names import IDS, MODULES, OLDER_IDS, PACKAGES, missing
from rtgym_ros.compat.plain_interface import PlainRealTimeGymInterface
from rtgym_ros.core import config
from rtgym_ros.envs.default_config import DEFAULT_CONFIG_DICT

AS_REAL_TIME_GYM = {
    "action_check": "warn",
    "out_of_bounds_action": "send",
    "observation_check": "warn",
    "time_in_info": False,
    "interface_timeout": 3600.0,
    "send_control_timeout": 3600.0,
    "get_obs_timeout": 3600.0,
    "agent_timeout": math.inf,
}
"""What is stricter here than in Real-Time Gym, as it is there: it sends whatever action it is given, hands out whatever
an interface returns, lets a reset by hand take its time, and leaves a robot alone while the agent learns."""


class AliasFinder(MetaPathFinder, Loader):
    """Finds the modules of Real-Time Gym in this package."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of one of Real-Time Gym's modules, None for any other.

        Raises:
            ModuleNotFoundError: it is one, and is not stood in for.
        """
        if fullname.partition(".")[0] not in PACKAGES:
            return None
        if fullname not in MODULES:
            # `from rtgym import x` comes here too; with a name on the error, Python would say something less clear.
            raise ModuleNotFoundError(missing(*fullname.rsplit(".", 1)))
        return ModuleSpec(fullname, self, origin="rtgym_ros.compat", is_package=True)

    def exec_module(self, module: ModuleType) -> None:
        """Fill it with what it had, and import what its import imported."""
        name = module.__name__
        vars(module).update(MODULES[name], __getattr__=_getattr_of(name))
        for child in MODULES:
            if child.rpartition(".")[0] == name:
                import_module(child)


def install(replace_gym: bool = False) -> None:
    """Let Real-Time Gym's names lead here, in this process and in those it starts with :mod:`multiprocessing`.

    Args:
        replace_gym: let ``gym`` be Gymnasium even where it is installed.
    """
    if any(isinstance(finder, AliasFinder) for finder in sys.meta_path):
        return
    sys.meta_path[:0] = [AliasFinder(), GymFinder(replace_gym)]
    for env_id, environment in IDS.items():
        gymnasium.registry.pop(env_id, None)  # what strict programs get; or Real-Time Gym's, imported before this
        gymnasium.register(env_id, f"{environment.__module__}:{environment.__name__}", nondeterministic=True)
    for env_id in OLDER_IDS:
        gymnasium.register(
            env_id,
            "rtgym_ros.compat.older_generation:OlderGenerationEnv",
            nondeterministic=True,
            disable_env_checker=True,  # as that of rtgym_ros/gym-rt-v0
        )
    config.process_defaults.update(AS_REAL_TIME_GYM)
    # Programs copy it.
    DEFAULT_CONFIG_DICT.update({**AS_REAL_TIME_GYM, "interface": PlainRealTimeGymInterface})
    _hand_on_to_children(replace_gym)


def _getattr_of(module: str) -> Callable[[str], Any]:
    def refuse(name: str) -> Any:
        raise AttributeError(missing(module, name))

    return refuse


class _InstallWhenUnpickled:
    """What a child process unpickles before it imports the program."""

    def __init__(self, replace_gym: bool) -> None:
        self._replace_gym = replace_gym

    def __reduce__(self) -> tuple[Callable[[bool], None], tuple[bool]]:
        return install, (self._replace_gym,)


def _hand_on_to_children(replace_gym: bool) -> None:
    """Add the alias to what multiprocessing tells a spawned process first; it ignores entries that it does not know."""
    preparation_data_of = spawn.get_preparation_data

    def get_preparation_data(name: str) -> dict[str, Any]:
        return {**preparation_data_of(name), "rtgym_ros.compat": _InstallWhenUnpickled(replace_gym)}

    spawn.get_preparation_data = get_preparation_data
