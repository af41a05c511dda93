"""The library gym, which programs before rtgym 0.8 import: Gymnasium under that name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium

from rtgym_ros.compat.older_generation import OlderGenerationEnv
from rtgym_ros.envs.real_time_env import RealTimeEnv


class GymFinder(MetaPathFinder, Loader):
    """Finds gym and its modules in Gymnasium where the program imports it and it is not installed.

    A library that only looks whether there is a gym finds what there is.

    Args:
        always: where it is installed, and for libraries, too.
    """

    def __init__(self, always: bool) -> None:
        self._always = always
        self._stands_in = False
        self._has_told = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of one of gym's modules, None for any other and where Gymnasium does not stand in."""
        if fullname.partition(".")[0] != "gym":
            return None
        if fullname == "gym" and (self._always or not _library_imports()):
            self._stands_in = self._always or PathFinder.find_spec("gym") is None
            self._tell()
        return ModuleSpec(fullname, self, origin="gymnasium", is_package=True) if self._stands_in else None

    def _tell(self) -> None:
        which = "Gymnasium here" if self._stands_in else "the installed one; --gym puts Gymnasium in its place"
        if not self._has_told:
            sys.stderr.write(f"rtgym_ros.compat: gym, which this program imports, is {which}\n")
            self._has_told = True

    def exec_module(self, module: ModuleType) -> None:
        """Make it another name of Gymnasium's; the top one has a ``make`` of its own."""
        name = module.__name__
        original = import_module(name.replace("gym", "gymnasium", 1))
        if name == "gym":
            vars(module).update(vars(original), __name__=name, make=make)
        else:
            sys.modules[name] = original


class FourValues(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment as before gym 0.26: ``reset`` returns an observation, ``step`` returns ``done``.

    Whatever else the environment has is found in it without ``unwrapped``.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(self.env, name)

    def reset(self, **arguments: Any) -> Any:
        """Begin an episode and return its first observation."""
        return self.env.reset(**arguments)[0]

    def step(self, action: Any) -> Any:
        """Return observation, reward, done and info."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, reward, terminated or truncated, info


def make(env_id: str, **arguments: Any) -> gymnasium.Env[Any, Any]:
    """Make an environment as ``gym.make`` did.

    A real-time environment comes with nothing between it and the program, whose ``env.wait()`` and the like find it; if
    its interface says ``done``, ``step`` returns four values. Any other is Gymnasium's.
    """
    env = gymnasium.make(env_id, **arguments)
    if not isinstance(env.unwrapped, RealTimeEnv):
        return env
    is_before_026 = isinstance(env.unwrapped, OlderGenerationEnv) and env.unwrapped.says_done
    return FourValues(env.unwrapped) if is_before_026 else env.unwrapped


def _library_imports() -> bool:
    """Return whether what is being imported is imported by an installed package, not by the program."""
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith((__name__, "importlib")):
        frame = frame.f_back
    return not {"site-packages", "dist-packages"}.isdisjoint(Path(frame.f_globals.get("__file__") or "").parts)
