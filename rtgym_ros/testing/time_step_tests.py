"""What happens in every time-step: an action is sent and an observation captured, both quickly."""

from __future__ import annotations

from itertools import cycle, islice
from statistics import median

from gymnasium.utils.env_checker import data_equivalence

from rtgym_ros.core.action_buffer import copy_action
from rtgym_ros.core.time_source import to_s
from rtgym_ros.envs.interface_calls import CAPTURE, SEND
from rtgym_ros.testing.interface_under_test import InterfaceUnderTest
from rtgym_ros.testing.rules import require
from rtgym_ros.testing.tests_base import TestsBase


class TimeStepTests(TestsBase):
    """Tests of ``send_control``, and of how long it and ``get_obs_rew_terminated_info`` take."""

    def test_send_control_takes_every_action(self) -> None:
        """``send_control`` takes whatever lies in the action space."""
        with self._interface() as robot:
            robot.reset()
            for action in self.make_actions(robot.action_space):
                demand = f"; it must take every element of {robot.action_space}, and was given {action!r}"
                robot.send(copy_action(action), demand)
                robot.let_a_time_step_pass()

    def test_send_control_leaves_its_action_alone(self) -> None:
        """``send_control`` does not write into what it is given."""
        with self._interface() as robot:
            robot.reset()
            for action in self.make_actions(robot.action_space):
                given = copy_action(action)
                robot.send(given)
                robot.let_a_time_step_pass()
                require(
                    data_equivalence(given, action, exact=True),
                    f"{SEND}() was given {action!r} and made it {given!r}: it must not write into its argument",
                )

    def test_send_control_is_quick(self) -> None:
        """``send_control`` takes a small part of a time-step. The median counts: a busy machine stalls now and then."""
        with self._interface() as robot:
            robot.reset()
            for action in islice(cycle(self.make_actions(robot.action_space)), self.calls):
                robot.send(copy_action(action))
                robot.let_a_time_step_pass()
            self._check_quick(robot, SEND, "send the action and return; do not wait until it has arrived")

    def test_get_obs_rew_terminated_info_does_not_wait(self) -> None:
        """What is known already is returned again where nothing newer is there. The median counts here too."""
        with self._interface() as robot:
            self._drive(robot)
            for _ in range(self.calls):
                robot.capture()
            self._check_quick(robot, CAPTURE, "return the latest observation that is there; do not wait for a new one")

    def _check_quick(self, robot: InterfaceUnderTest, method: str, advice: str) -> None:
        limit_s = self.quick_fraction * self.time_step_duration
        median_s = to_s(round(median(robot.durations_ns[method][-self.calls :])))
        require(
            median_s < limit_s,
            f"{method}() must take less than {limit_s:.4g} s ({self.quick_fraction:g} of time_step_duration = "
            f"{self.time_step_duration:g} s), it took {median_s:.4g} s, the median of {self.calls} calls: {advice}",
        )
