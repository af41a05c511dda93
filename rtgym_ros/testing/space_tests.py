"""What an interface says of itself: its spaces, its two actions, its clock."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.time_source import TimeSource
from rtgym_ros.testing.aliasing import share_memory
from rtgym_ros.testing.rules import require
from rtgym_ros.testing.tests_base import TestsBase


class SpaceTests(TestsBase):
    """Tests of the methods that answer without a robot."""

    def test_get_observation_space_returns_a_space(self) -> None:
        """The observation space is a ``gymnasium.spaces.Tuple``, ``Dict`` or ``Box``."""
        with self._interface() as robot:
            _ = robot.observation_space

    def test_get_action_space_returns_a_space(self) -> None:
        """The action space is a ``gymnasium.spaces.Space``."""
        with self._interface() as robot:
            _ = robot.action_space

    def test_the_spaces_stay_the_same(self) -> None:
        """Both spaces are equal on each call, before and after a reset."""
        methods = ("get_observation_space", "get_action_space")
        with self._interface() as robot:
            before = [robot.call(method) for method in methods]
            robot.reset()
            for method, first in zip(methods, before, strict=True):
                again = robot.call(method)
                require(
                    again == first, f"{method}() must return an equal space on each call, got {first}, then {again}"
                )

    def test_get_default_action_is_in_the_action_space(self) -> None:
        """The default action is an element of the action space.

        What the environment casts is one: a list, or float64 where the Box is float32.
        """
        self._check_action("get_default_action")

    def test_get_safe_action_is_in_the_action_space(self) -> None:
        """So is the safe action."""
        self._check_action("get_safe_action")

    def test_default_and_safe_actions_are_fresh(self) -> None:
        """Writing into a default or a safe action does not change another one."""
        methods = ("get_default_action", "get_safe_action") * 2
        with self._interface() as robot:
            answers = [(method, robot.call(method)) for method in methods]
        for (method, action), (later, other) in combinations(answers, 2):
            require(
                not share_memory(action, other),
                f"{method}() and a later {later}() returned the same array, and writing into one changes the other: "
                "return a new one on each call",
            )

    def test_get_time_source_returns_a_clock(self) -> None:
        """The clock is a ``TimeSource`` that tells whole nanoseconds and does not go back."""
        with self._interface() as robot:
            clock = robot.call("get_time_source")
            require(isinstance(clock, TimeSource), f"get_time_source() must return a TimeSource, got {clock!r}")
            before_ns, after_ns = clock.now_ns(), clock.now_ns()
        require(
            isinstance(before_ns, int) and before_ns <= after_ns,
            "get_time_source() must return a clock whose now_ns() is a whole number that never decreases, "
            f"got {before_ns!r}, then {after_ns!r}",
        )

    def _check_action(self, method: str) -> None:
        with self._interface() as robot:
            action = robot.call(method)
            admitted = robot.admit_action(action, f"{method}()")
            space = robot.action_space
        if isinstance(space, spaces.Box):
            is_inside = np.array_equal(np.asarray(action).astype(space.dtype), admitted)
            require(is_inside, f"{method}() must lie in {space}, got {action!r}")
