"""What an interface observes: what reset() and the capture return, and how long that holds."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from copy import deepcopy
from itertools import combinations
from typing import Any
from unittest import SkipTest

from gymnasium import spaces
from gymnasium.utils.env_checker import data_equivalence

from rtgym_ros.envs.interface_calls import CAPTURE
from rtgym_ros.testing.aliasing import share_memory
from rtgym_ros.testing.interface_under_test import InterfaceUnderTest
from rtgym_ros.testing.rules import require
from rtgym_ros.testing.tests_base import SEED, TestsBase

_SEEDS = range(5)


class ObservationTests(TestsBase):
    """Tests of what ``reset`` and ``get_obs_rew_terminated_info`` return."""

    def test_reset_returns_an_observation_and_an_info(self) -> None:
        """``reset`` returns an observation in its space and a dictionary.

        What the environment casts is in its space: a list, or float64 where the Box is float32.
        """
        with self._interface() as robot:
            robot.reset()

    def test_reset_takes_seed_and_options(self) -> None:
        """``reset`` is called with the keywords ``seed`` and ``options``."""
        with self._interface() as robot:
            signature = inspect.signature(robot.interface.reset)
            try:
                signature.bind(seed=SEED, options={})
            except TypeError:
                raise AssertionError(f"reset() must take the keywords seed and options, it takes {signature}") from None
            robot.reset(seed=SEED, options={})
            robot.reset(seed=None, options=None)

    def test_get_obs_rew_terminated_info_returns_its_four_values(self) -> None:
        """It returns an observation in its space, a finite reward, True or False, and a dictionary."""
        with self._interface() as robot:
            self._drive(robot)

    def test_observations_stay_as_they_were(self) -> None:
        """An observation does not change when later ones are made, and shares no writable memory with them."""
        with self._interface() as robot:
            came = [("reset", robot.reset())]
            copies = [deepcopy(came[0][1])]
            for action in self._random_actions(robot.action_space):
                came.append((CAPTURE, robot.step(action)))
                copies.append(deepcopy(came[-1][1]))
        for (method, observation), copy in zip(came, copies, strict=True):
            then_elements = elements_of(copy)
            for index, now in elements_of(observation).items():
                then = then_elements.get(index)
                require(
                    data_equivalence(now, then, exact=True),
                    f"{method}() observed [{index}] = {then!r}, which later calls made {now!r}: return a copy of what "
                    "the interface goes on writing into",
                )
        for (method, observation), (later, other) in combinations(came, 2):
            shared = _shared(observation, other)
            require(
                not shared,
                f"{shared} that {method}() observed is the same object in a later observation of {later}(), and "
                "writing into one changes the other: return a copy",
            )

    def test_the_same_seed_repeats_the_task(self) -> None:
        """Resets with the same seed observe the same ``repeatable_elements``, wherever the robot is."""
        with self._interface() as robot:
            indices = self._indices(robot, "repeatable_elements")
            robot.reset(seed=SEED)
            first = elements_of(robot.observed)
            self._drive(robot)
            robot.reset(seed=SEED)
            again = elements_of(robot.observed)
            for index in indices:
                require(
                    data_equivalence(again[index], first[index], exact=True),
                    f"reset(seed={SEED}) observed [{index!r}] = {first[index]!r} at first and {again[index]!r} later: "
                    "draw the task from self.np_random, and name in repeatable_elements no more than the robot can "
                    "repeat",
                )

    def test_other_seeds_vary_the_task(self) -> None:
        """The ``varying_elements`` differ from seed to seed."""
        if not self.varying_elements:
            raise SkipTest("no varying_elements are named")
        with self._interface() as robot:
            indices = self._indices(robot, "varying_elements")
            tasks = []
            for seed in _SEEDS:
                robot.reset(seed=seed)
                tasks.append(elements_of(robot.observed))
        for index in indices:
            require(
                any(not data_equivalence(task[index], tasks[0][index], exact=True) for task in tasks),
                f"reset() observed [{index}] = {tasks[0][index]!r} with each of the seeds {_SEEDS[0]} to {_SEEDS[-1]}: "
                "draw the task from self.np_random",
            )

    def _indices(self, robot: InterfaceUnderTest, attribute: str) -> Sequence[int | str]:
        """Return the elements that an attribute names, all of them where it is None."""
        known = list(elements_of(robot.observation_space))
        named: Sequence[int | str] | None = getattr(self, attribute)
        if named is None:
            return known
        for index in named:
            allowed = f"indices from 0 to {len(known) - 1}" if isinstance(known[0], int) else f"keys of {known}"
            require(index in known, f"{attribute} must be {allowed}, got {index!r}")
        return named


def elements_of(observation: Any) -> dict[int | str, Any]:
    """Return the elements of an observation, or the spaces of an observation space, by index or key.

    What is one array, or the space of one, is the element 0.
    """
    if isinstance(observation, (dict, spaces.Dict)):
        return dict(observation.items())
    if isinstance(observation, (tuple, list, spaces.Tuple)):
        return dict(enumerate(observation))
    return {0: observation}


def _shared(observation: Any, other: Any) -> str:
    """Return what of an observation is part of another too, an empty string for nothing."""
    for index, element in elements_of(observation).items():
        if share_memory(element, other):
            return f"[{index!r}]"
    return "the list" if share_memory(observation, other) else ""
