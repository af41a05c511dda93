"""What a user writes: how to send an action to the robot and how to observe it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.core.time_source import MonotonicTimeSource, TimeSource


class RealTimeGymInterface(ABC):
    """The robot, as a real-time environment sees it (Real-Time Gym's ``RealTimeGymInterface``).

    The action buffer is the environment's business: no method returns it. The environment sets two attributes:

    Attributes:
        np_random: the environment's random generator, seeded by ``reset(seed=...)``.
        render_mode: what ``gymnasium.make`` was given: None, ``"human"`` or ``"rgb_array"``.
    """

    np_random: np.random.Generator
    render_mode: str | None = None

    @abstractmethod
    def get_observation_space(self) -> spaces.Tuple[Any]:
        """Return the space of an observation, a Tuple."""

    @abstractmethod
    def get_action_space(self) -> spaces.Space[Any]:
        """Return the space of an action, usually a Box."""

    @abstractmethod
    def get_default_action(self) -> Any:
        """Return the action that ``reset`` sends, an element of the action space."""

    @abstractmethod
    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Sequence[Any], dict[str, Any]]:
        """Begin an episode and return its first observation, one element per space of the Tuple, and an info.

        Return quickly if the clock is to keep its pace from one episode to the next.
        """

    @abstractmethod
    def get_obs_rew_terminated_info(self) -> tuple[Sequence[Any], float, bool, dict[str, Any]]:
        """Return the latest observation without waiting for one, its reward, whether it ends the episode, an info."""

    @abstractmethod
    def send_control(self, control: Any) -> None:
        """Send ``control`` to the robot without waiting for it to arrive."""

    def wait(self) -> None:
        """Hold the robot between two episodes; nothing by default."""

    def render(self) -> Any:
        """Show the robot, or return a frame: uint8 array (height, width, 3); None by default."""

    def close(self) -> None:
        """Free what the interface holds; nothing by default. The safe action has been sent before."""

    def get_safe_action(self) -> Any:
        """Return the action sent when the environment stops or fails; the default action by default."""
        return self.get_default_action()

    def get_time_source(self) -> TimeSource:
        """Return the clock that time-steps are held to; the system's monotonic clock by default."""
        return MonotonicTimeSource()

    def on_time_step(self, time_step: TimeStep) -> None:
        """Hear of a time-step whose control has just been sent; nothing by default. Return quickly."""
