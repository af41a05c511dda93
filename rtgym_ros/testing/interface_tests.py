"""The contract between an interface and its environments, as a class of tests to inherit."""

from __future__ import annotations

from rtgym_ros.testing.life_tests import LifeTests
from rtgym_ros.testing.observation_tests import ObservationTests
from rtgym_ros.testing.space_tests import SpaceTests
from rtgym_ros.testing.time_step_tests import TimeStepTests


class InterfaceTests(SpaceTests, ObservationTests, TimeStepTests, LifeTests):
    """The tests that every interface has to pass; inherit them, and say how yours is made.

    ::

        class TestMyRobot(InterfaceTests):  # in a file that pytest collects
            time_step_duration = 0.05

            def make_interface(self):
                return MyRobot()

    **The robot moves**: it is sent the corners of its action space, one action a time-step, and random actions.
    Override ``make_actions(space)`` if it must not be. Every test makes an interface of its own. However the test ends,
    the safe action is sent and the interface is closed.

    What an environment casts is accepted. What works only because an environment copies is not: the interface is to be
    fit for other users too. With :mod:`unittest`, inherit from ``unittest.TestCase`` as well.

    Attributes:
        time_step_duration: of your environment (s).
        quick_fraction: of a time-step: the most that sending or capturing may take.
        calls: how many of them are measured; their median counts.
        time_steps: how many the robot is driven for where it is driven.
        repeatable_elements: indices of the elements of the observation that a reset with the same seed repeats: the
            target, say, but not the place of a real robot. None for all, ``()`` for none.
        varying_elements: indices of those that differ from seed to seed; none unless you name them.
        interface_timeout: the longest that any call may take (s).
        time_source: the clock to wait and to measure with; None for the interface's own.
    """
