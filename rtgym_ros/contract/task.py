"""What a robot under a contract is to do: reward, termination, reset. Pure Python: testable without ROS."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

Array = NDArray[Any]
Parts = Mapping[str, Array]
"""Values by the name of their part in the contract."""


class Scene(NamedTuple):
    """What is to be seen in RViz or Foxglove.

    Attributes:
        function: ``module:name`` of what makes a ``visualization_msgs/MarkerArray`` of it; imported by who draws it.
        arguments: its keyword arguments, but ``stamp``: arrays that nobody changes later.
    """

    function: str
    arguments: Mapping[str, Any]


class Task(ABC):
    """Base of every task.

    A contract names it (``task: {class: "my_robot.tasks:Reach", args: {radius: 0.1}}``); it is made with ``args`` as
    keyword arguments when the environment is made. All methods are called in one thread at a time, ``evaluate`` and
    ``observe`` in every time-step: they should take much less than one.
    """

    def check(self, parts: Mapping[str, spaces.Box]) -> None:
        """Check that the observation has what the task needs; called once, when the environment is made.

        Args:
            parts: the spaces of the contract's parts, by name, without history.

        Raises:
            ConfigError: it has not; one line.
        """

    def extra_spaces(self) -> Mapping[str, spaces.Box]:
        """Return the spaces of what the task adds to the observation (a target), by name; none by default."""
        return {}

    def observe(self, time: float) -> Parts:
        """Return the values of ``extra_spaces``.

        Args:
            time: of the capture since the reset (s).
        """
        return {}

    def reset(self, rng: np.random.Generator, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Begin an episode; called by the environment's ``reset()`` before the steps of the contract's ``reset``.

        Args:
            rng: the environment's random numbers, seeded by ``reset(seed=...)``.
            options: of ``reset(options=...)``; empty where there are none.

        Returns:
            What ``fill`` of the contract's steps may name as ``task.NAME``: numbers, texts or lists of them.
        """
        return {}

    @abstractmethod
    def evaluate(self, observation: Parts, action: Parts, time: float) -> tuple[float, bool, dict[str, Any]]:
        """Return the reward of a time-step, whether the episode terminates, and entries for ``info``.

        Args:
            observation: the newest capture of each part of the contract, converted, shape (k,) (an image's as it is),
                whatever ``spaces`` and ``history`` are.
            action: the executed action of each part in the units of the message, shape (k,).
            time: of the capture since the reset (s).
        """

    def render(self, observation: Parts, action: Parts) -> Array | None:
        """Return a picture, uint8, shape (height, width, 3), or None where there is none to see."""
        return None

    def scene(self, observation: Parts, action: Parts) -> Scene | None:
        """Return what was observed, the action and the target as a scene, or None where there is nothing to see.

        Called at each capture of an environment on ROS 2 whose node has the parameter ``markers``.

        Args:
            observation: as that of ``evaluate``.
            action: as that of ``evaluate``.
        """
        return None
