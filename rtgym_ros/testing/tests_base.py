"""What every part of the contract shares: what a user says of an interface, and how it is made and driven."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.time_source import TimeSource
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.testing.actions import corners_and_samples
from rtgym_ros.testing.interface_under_test import InterfaceUnderTest

SEED = 1
_SAMPLES = 8


class TestsBase:
    """The attributes and hooks of :class:`~rtgym_ros.testing.InterfaceTests`, which says what they mean."""

    time_step_duration: float = 0.05
    quick_fraction: float = 0.25
    calls: int = 11
    time_steps: int = 5
    repeatable_elements: Sequence[int | str] | None = None
    varying_elements: Sequence[int | str] = ()
    interface_timeout: float = 60.0
    time_source: TimeSource | None = None

    def make_interface(self) -> RealTimeGymInterface:
        """Return a new interface; to be overridden."""
        raise NotImplementedError(f"{type(self).__name__} needs a method make_interface() that returns a new interface")

    def make_actions(self, space: spaces.Space[Any]) -> Sequence[Any]:
        """Return the actions to send, all of which the tests send: corners of the action space and a few samples."""
        return corners_and_samples(space, _SAMPLES, SEED)

    def _interface(self, render_mode: str | None = None) -> InterfaceUnderTest:
        """Return an interface to enter with ``with``, which puts it away."""
        return InterfaceUnderTest(
            self.make_interface, self.time_step_duration, self.interface_timeout, self.time_source, render_mode
        )

    def _random_actions(self, space: spaces.Space[Any]) -> list[Any]:
        actions = self.make_actions(space)
        return [actions[index] for index in np.random.default_rng(SEED).integers(len(actions), size=self.time_steps)]

    def _drive(self, robot: InterfaceUnderTest) -> None:
        robot.reset()
        for action in self._random_actions(robot.action_space):
            robot.step(action)
