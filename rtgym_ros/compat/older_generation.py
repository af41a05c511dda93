"""The older generation of interfaces (gym_real_time, and rtgym before 0.8), and the environment that runs them."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.compat.plain_interface import PlainRealTimeGymInterface
from rtgym_ros.core.errors import ConfigError, InterfaceError
from rtgym_ros.core.time_source import TimeSource
from rtgym_ros.envs.default_config import DEFAULT_CONFIG_DICT
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.real_time_env import RealTimeEnv


class GymRealTimeInterface(ABC):
    """The robot, as gym_real_time saw it: for interfaces that exist. A new one is a :class:`RealTimeGymInterface`.

    ``gymnasium.make("rtgym_ros/gym-rt-v0", config={"interface": ...})`` runs it.
    """

    @abstractmethod
    def get_observation_space(self) -> spaces.Tuple[Any]:
        """Return the space of an observation, a Tuple, without the action buffer."""

    @abstractmethod
    def get_action_space(self) -> spaces.Space[Any]:
        """Return the space of an action, usually a Box."""

    @abstractmethod
    def get_default_action(self) -> Any:
        """Return the action that ``reset`` sends, an element of the action space."""

    @abstractmethod
    def reset(self) -> Sequence[Any]:
        """Begin an episode and return its first observation, one element per space of the Tuple."""

    @abstractmethod
    def get_obs_rew_done(self) -> tuple[Sequence[Any], float, bool]:
        """Return the latest observation without waiting for one, its reward, and whether it ends the episode."""

    @abstractmethod
    def send_control(self, control: Any) -> None:
        """Send ``control`` to the robot without waiting for it to arrive."""

    def wait(self) -> None:
        """Hold the robot between two episodes: the default action is sent, unless this is overridden."""
        self.send_control(self.get_default_action())

    def render(self) -> Any:
        """Show the robot, or return a frame: uint8 array (height, width, 3); None by default."""

    def close(self) -> None:
        """Free what the interface holds; nothing by default."""


class OlderInterface(RealTimeGymInterface):
    """Makes an interface of the older generation one of today's.

    Args:
        older: a :class:`GymRealTimeInterface`, or whatever has its methods. rtgym's later names of the capture will
            do too: ``get_obs_rew_done_info``, and ``get_obs_rew_terminated_info`` (its ``reset`` returns an info).

    Raises:
        ConfigError: it has none of the three.
    """

    def __init__(self, older: Any) -> None:
        self.older = older
        names = [name for name in _CAPTURES if hasattr(older, name)]
        if not names:
            raise ConfigError(
                f"config['interface'] must make an interface of the older generation, with {next(iter(_CAPTURES))}(), "
                f"it made {older!r}"
            )
        self._capture_name = names[0]
        self._takes_seed = {"seed", "options"} <= inspect.signature(older.reset).parameters.keys()

    @property
    def says_done(self) -> bool:
        """Whether its capture is from before there was a difference between terminated and truncated."""
        return self._capture_name != _LAST_CAPTURE

    def get_observation_space(self) -> spaces.Tuple[Any]:
        """Return its observation space."""
        space: spaces.Tuple[Any] = self.older.get_observation_space()
        return space

    def get_action_space(self) -> spaces.Space[Any]:
        """Return its action space."""
        space: spaces.Space[Any] = self.older.get_action_space()
        return space

    def get_default_action(self) -> Any:
        """Return its default action."""
        return _as_element(self.older.get_default_action(), self.get_action_space())

    def get_safe_action(self) -> Any:
        """Return its safe action, where it knows of such a thing already, or else the default action."""
        if not hasattr(self.older, "get_safe_action"):
            return self.get_default_action()
        return _as_element(self.older.get_safe_action(), self.get_action_space())

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Sequence[Any], dict[str, Any]]:
        """Begin an episode; a reset without arguments knows nothing of ``seed`` and ``options``."""
        answer = self.older.reset(seed=seed, options=options) if self._takes_seed else self.older.reset()
        return (answer, {}) if self.says_done else answer

    def get_obs_rew_terminated_info(self) -> tuple[Sequence[Any], float, bool, dict[str, Any]]:
        """Return its latest observation, reward, whether it is done, and its info if it has one."""
        answer = getattr(self.older, self._capture_name)()
        expected = _CAPTURES[self._capture_name]
        if not isinstance(answer, (tuple, list)) or len(answer) != len(expected):
            raise InterfaceError(f"{self._capture_name}() must return ({', '.join(expected)}), got {answer!r}")
        observation, reward, done, *info = answer
        return observation, reward, done, info[0] if info else {}

    def send_control(self, control: Any) -> None:
        """Send ``control``."""
        self.older.send_control(control)

    def wait(self) -> None:
        """Let it hold the robot: by sending the default action, where it does not say how."""
        # A class of rtgym 0.2 to 0.7 derives from today's base class, whose wait() does nothing.
        if getattr(type(self.older), "wait", RealTimeGymInterface.wait) is RealTimeGymInterface.wait:
            self.older.send_control(self.older.get_default_action())
        else:
            self.older.wait()

    def render(self) -> Any:
        """Return what it renders."""
        return self.older.render() if hasattr(self.older, "render") else None

    def close(self) -> None:
        """Close it if it can be."""
        if hasattr(self.older, "close"):
            self.older.close()


class OlderGenerationEnv(RealTimeEnv):
    """Runs an interface of the older generation, with today's ``reset()`` and ``step()`` (``rtgym_ros/gym-rt-v0``).

    That generation put numbers where the space has arrays of one element. They are accepted as actions; in an
    observation they are handed out as they are, with a warning: here ``observation_check`` never raises.

    Args:
        config: as of :class:`~rtgym_ros.envs.real_time_env.RealTimeEnv`; ``"interface"`` is a class of that generation.
        render_mode: None, ``"human"`` or ``"rgb_array"``.
        time_source: the clock to use instead of the system's.

    Raises:
        ConfigError: an entry of the configuration is not valid.
    """

    def __init__(
        self,
        config: Mapping[str, Any] = DEFAULT_CONFIG_DICT,
        render_mode: str | None = None,
        time_source: TimeSource | None = None,
    ) -> None:
        super().__init__(_adapted(config), render_mode, time_source)

    @property
    def interface(self) -> Any:
        """The user's interface, as it was written."""
        return self._adapter.older

    @property
    def says_done(self) -> bool:
        """Whether its interface is from before there was a difference between terminated and truncated."""
        return self._adapter.says_done

    @property
    def _adapter(self) -> OlderInterface:
        adapter = super().interface
        assert isinstance(adapter, OlderInterface), "the configuration was adapted"
        return adapter

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Wait for the running time-step, then begin the next one by sending ``action``, an array or a number."""
        return super().step(_as_element(action, self.action_space))


_LAST_CAPTURE = "get_obs_rew_terminated_info"
_CAPTURES = {
    "get_obs_rew_done": ("observation", "reward", "done"),
    "get_obs_rew_done_info": ("observation", "reward", "done", "info"),
    _LAST_CAPTURE: ("observation", "reward", "terminated", "info"),
}
"""The names of the capture, oldest first, and what it returns; a class of today's has the last one in any case."""


def _adapted(config: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(config, Mapping) or not callable(config.get("interface")):
        return config  # refused with everything else that is wrong
    interface = config["interface"]
    if interface in (GymRealTimeInterface, RealTimeGymInterface, PlainRealTimeGymInterface):
        raise ConfigError(f"config['interface'] is still {interface.__name__}: set it to your own interface class")
    check = config.get("observation_check", "raise")
    return {**config, "interface": _factory(interface), "observation_check": "warn" if check == "raise" else check}


def _factory(interface: Callable[..., Any]) -> Callable[..., OlderInterface]:
    if isinstance(interface, type) and getattr(interface, "__abstractmethods__", None) == {_LAST_CAPTURE}:
        # Today's base class insists on what a class of rtgym 0.2 to 0.6 cannot know of.
        interface = type(interface.__name__, (interface,), {_LAST_CAPTURE: None, "__module__": interface.__module__})

    def make(*args: Any, **kwargs: Any) -> OlderInterface:
        return OlderInterface(interface(*args, **kwargs))

    return make


def _as_element(action: Any, space: spaces.Space[Any]) -> Any:
    """Return a number as the array that the space has in its place."""
    is_number = isinstance(action, (int, float, np.number))
    return np.array([action]) if is_number and isinstance(space, spaces.Box) and space.shape == (1,) else action
