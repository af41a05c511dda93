"""What is done in one time-step, whichever thread does it: begin it, send the action, capture the observation.

Between a capture and the send that follows it there is nothing that could be done before or afterwards: how long that
takes varies, and the robot would feel it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from rtgym_ros.core.action_buffer import copy_action
from rtgym_ros.core.benchmark import Benchmark
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.elastic_clock import ElasticClock, TimeStep
from rtgym_ros.core.errors import InterfaceError
from rtgym_ros.core.time_source import TimeSource
from rtgym_ros.envs.answers import is_finite_number, is_flag, unpack
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.observations import ObservationGuard
from rtgym_ros.envs.step_info import TIME_STEP, time_step_info


class Captured(NamedTuple):
    """What the interface answered to the capture of one time-step, as it came.

    Attributes:
        answer: the four values, if the interface is in order.
        began_ns: when it was asked.
    """

    answer: Any
    began_ns: int

    @property
    def goes_on(self) -> bool:
        """Whether the episode certainly does; otherwise :meth:`TimeStepWork.observe` has to look closer."""
        answer = self.answer
        if type(answer) is not tuple or len(answer) != _VALUES:
            return False
        _, reward, terminated, _ = answer
        return type(reward) is float and isfinite(reward) and (terminated is False or terminated is np.False_)


class Observed(NamedTuple):
    """What one time-step brought.

    Attributes:
        observation: the interface's elements, preprocessed, without the action buffer.
        reward: of the time-step.
        terminated: whether the task ended in it.
        info: the interface's own.
    """

    observation: tuple[Any, ...]
    reward: float
    terminated: bool
    info: dict[str, Any]


_VALUES = len(Observed._fields)


class TimeStepWork:
    """Calls the interface at the times that the clock says, and measures the calls.

    Args:
        interface: the user's.
        observations: turns what it observes into what the environment hands out.
        config: of the environment.
        clock: lays out the time-steps.
        time_source: what they are waited for on.
        benchmark: hears how long calls take.
        use_slack: called before a wait with how long it is (ns), for what can be done meanwhile.
    """

    def __init__(
        self,
        interface: RealTimeGymInterface,
        observations: ObservationGuard,
        config: RealTimeConfig,
        clock: ElasticClock,
        time_source: TimeSource,
        benchmark: Benchmark,
        use_slack: Callable[[int], None] | None = None,
    ) -> None:
        self._interface = interface
        self._observations = observations
        self._preprocess_action = config.act_prepro_func or _unchanged
        self._preprocess_observation = config.obs_prepro_func or _unchanged
        self._tells_time = config.time_in_info
        self._clock = clock
        self._time = time_source
        self._benchmark = benchmark
        self._is_measured = config.benchmark
        self._use_slack = use_slack
        self.calling = ""
        """The method of the interface that a time-step has called last."""
        self.over_ns = 0
        """When the end of the last time-step had been waited for and the next one began (ns)."""

    @property
    def begun(self) -> TimeStep | None:
        """The time-step that was begun last."""
        return self._clock.current

    def prepare(self, action: Any) -> Any:
        """Return ``action`` as the interface gets it: preprocessed, and its own to write into."""
        self.calling = "send_control"
        return self._preprocess_action(copy_action(action))

    def begin(self, control: Any) -> None:
        """Send a prepared action and begin a time-step now: one whose action could not be sent has not begun."""
        self.calling = "send_control"
        self.over_ns = began_ns = self._time.now_ns()
        self._interface.send_control(control)
        sent_ns = self._time.now_ns()
        time_step = self._clock.begin(began_ns)
        self._benchmark.send_control(began_ns, sent_ns)
        self._interface.on_time_step(time_step)

    def send(self, action: Any) -> None:
        """Send an action outside the grid: the safe action."""
        self._interface.send_control(self.prepare(action))

    def capture(self, time_step: TimeStep) -> Captured:
        """Wait until the capture of ``time_step`` is due, then read the latest observation."""
        self.calling = "get_obs_rew_terminated_info"
        if self._use_slack is not None:
            self._use_slack(time_step.capture_ns - self._time.now_ns())
        self._time.sleep_until_ns(time_step.capture_ns)
        began_ns = self._time.now_ns()
        answer = self._interface.get_obs_rew_terminated_info()
        if self._is_measured:
            self._benchmark.get_obs(began_ns, self._time.now_ns())
        return Captured(answer, began_ns)

    def observe(self, time_step: TimeStep, captured: Captured) -> Observed:
        """Return what was captured in ``time_step`` as the environment hands it out.

        Raises:
            InterfaceError: the interface did not return four values, or one of them is not what it is to be.
        """
        self.calling = "get_obs_rew_terminated_info"
        observation, reward, terminated, info = unpack(captured.answer, self.calling, Observed._fields)
        if not is_finite_number(reward):
            raise InterfaceError(f"get_obs_rew_terminated_info() must return a finite reward, got {reward!r}")
        if not is_flag(terminated):
            raise InterfaceError(
                f"get_obs_rew_terminated_info() must return True or False as terminated, got {terminated!r}"
            )
        if self._tells_time:
            info = {TIME_STEP: time_step_info(time_step, captured.began_ns), **info}
        return Observed(self.hand_out(observation, self.calling), reward, bool(terminated), info)

    def reset(self, seed: int | None, options: dict[str, Any] | None) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Reset the interface; return its observation, as the environment hands it out, and its info.

        Raises:
            InterfaceError: the interface did not return two values, or one of them is not what it is to be.
        """
        answer = self._interface.reset(seed=seed, options=options)
        observation, info = unpack(answer, "reset", ("observation", "info"))
        return self.hand_out(observation, "reset"), info

    def hand_out(self, observation: Any, method: str) -> tuple[Any, ...]:
        """Return what ``method`` observed as the environment hands it out, less the action buffer."""
        return self._observations.admit(self._preprocess_observation(observation), method)


def _unchanged(value: Any) -> Any:
    return value
