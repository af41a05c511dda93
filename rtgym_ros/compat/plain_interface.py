"""Interfaces as Real-Time Gym takes them: any object with the methods, derived from whatever it likes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.envs.interface import RealTimeGymInterface


class PlainRealTimeGymInterface:
    """What programs import as ``rtgym.RealTimeGymInterface``: a plain class, whose methods are there to be overridden.

    Unlike :class:`rtgym_ros.RealTimeGymInterface` it can be made with methods missing, and combined with a base class
    that has a metaclass of its own (Qt's, for example).
    """

    def send_control(self, control: Any) -> None:
        """Send ``control`` to the robot."""
        raise NotImplementedError

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Begin an episode and return (observation, info)."""
        raise NotImplementedError

    def get_obs_rew_terminated_info(self) -> Any:
        """Return (observation, reward, terminated, info)."""
        raise NotImplementedError

    def get_observation_space(self) -> Any:
        """Return the space of an observation."""
        raise NotImplementedError

    def get_action_space(self) -> Any:
        """Return the space of an action."""
        raise NotImplementedError

    def get_default_action(self) -> Any:
        """Return the action that ``reset()`` sends."""
        raise NotImplementedError

    def render(self) -> Any:
        """Show the robot; nothing by default."""

    wait = RealTimeGymInterface.wait  # the same function, by which one that is not overridden is recognised


PlainRealTimeGymInterface.__name__ = PlainRealTimeGymInterface.__qualname__ = "RealTimeGymInterface"


class AdaptedInterface(RealTimeGymInterface):
    """Makes a :class:`RealTimeGymInterface` of an object that has its methods; no other method of it is called.

    Args:
        plain: the object. Where it has ``get_safe_action`` or ``close``, which Real-Time Gym does not know, they are
            called too.
    """

    def __init__(self, plain: Any) -> None:
        self.plain = plain

    def get_observation_space(self) -> spaces.Space[Any]:
        """Return its observation space."""
        space: spaces.Space[Any] = self.plain.get_observation_space()
        return space

    def get_action_space(self) -> spaces.Space[Any]:
        """Return its action space."""
        space: spaces.Space[Any] = self.plain.get_action_space()
        return space

    def get_default_action(self) -> Any:
        """Return its default action."""
        return self.plain.get_default_action()

    def get_safe_action(self) -> Any:
        """Return its safe action where it has one, or else the default action."""
        ask = getattr(self.plain, "get_safe_action", self.plain.get_default_action)
        return ask()

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Sequence[Any], dict[str, Any]]:
        """Begin an episode."""
        answer: tuple[Sequence[Any], dict[str, Any]] = self.plain.reset(seed=seed, options=options)
        return answer

    def get_obs_rew_terminated_info(self) -> tuple[Sequence[Any], float, bool, dict[str, Any]]:
        """Capture."""
        answer: tuple[Sequence[Any], float, bool, dict[str, Any]] = self.plain.get_obs_rew_terminated_info()
        return answer

    def send_control(self, control: Any) -> None:
        """Send ``control``."""
        self.plain.send_control(control)

    def wait(self) -> None:
        """Let it hold the robot, if it can."""
        if hasattr(self.plain, "wait"):
            self.plain.wait()

    def render(self) -> Any:
        """Return what it renders."""
        return self.plain.render() if hasattr(self.plain, "render") else None

    def close(self) -> None:
        """Close it if it can be."""
        if hasattr(self.plain, "close"):
            self.plain.close()


def adapting(interface: Callable[..., Any]) -> Callable[..., RealTimeGymInterface]:
    """Return a function that makes what ``interface`` makes, adapted where it is no :class:`RealTimeGymInterface`.

    Raises:
        ConfigError: it is the base class itself.
    """
    if interface in (PlainRealTimeGymInterface, RealTimeGymInterface):
        raise ConfigError("config['interface'] is still RealTimeGymInterface: set it to your own interface class")

    def make(*args: Any, **kwargs: Any) -> RealTimeGymInterface:
        made = interface(*args, **kwargs)
        return made if isinstance(made, RealTimeGymInterface) else AdaptedInterface(made)

    return make
