"""What is done in one time-step, whichever thread does it: begin it, send the action, capture the observation."""

from __future__ import annotations

from typing import Any, NamedTuple

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


class TimeStepWork:
    """Calls the interface at the times that the clock says, and measures the calls."""

    def __init__(
        self,
        interface: RealTimeGymInterface,
        observations: ObservationGuard,
        config: RealTimeConfig,
        clock: ElasticClock,
        time_source: TimeSource,
        benchmark: Benchmark,
    ) -> None:
        self._interface = interface
        self._observations = observations
        self._preprocess_action = config.act_prepro_func or _unchanged
        self._preprocess_observation = config.obs_prepro_func or _unchanged
        self._tells_time = config.time_in_info
        self._clock = clock
        self._time = time_source
        self._benchmark = benchmark

    @property
    def begun(self) -> TimeStep | None:
        """The time-step that was begun last."""
        return self._clock.current

    def begin(self, action: Any) -> None:
        """Send ``action`` and begin a time-step now: one whose action could not be sent has not begun."""
        began_ns = self._time.now_ns()
        self.send(action)
        sent_ns = self._time.now_ns()
        time_step = self._clock.begin(began_ns)
        self._benchmark.send_control(began_ns, sent_ns)
        self._interface.on_time_step(time_step)

    def send(self, action: Any) -> None:
        """Send an action outside the grid (the safe action), or as part of :meth:`begin`."""
        self._interface.send_control(self._preprocess_action(copy_action(action)))  # it may write into its own

    def capture(self, time_step: TimeStep) -> Observed:
        """Wait until the capture of ``time_step`` is due, then read the latest observation.

        Raises:
            InterfaceError: the interface did not return four values, or one of them is not what it is to be.
        """
        self._time.sleep_until_ns(time_step.capture_ns)
        began_ns = self._time.now_ns()
        captured = self._interface.get_obs_rew_terminated_info()
        self._benchmark.get_obs(began_ns, self._time.now_ns())
        observation, reward, terminated, info = unpack(
            captured, "get_obs_rew_terminated_info", ("observation", "reward", "terminated", "info")
        )
        if not is_finite_number(reward):
            raise InterfaceError(f"get_obs_rew_terminated_info() must return a finite reward, got {reward!r}")
        if not is_flag(terminated):
            raise InterfaceError(
                f"get_obs_rew_terminated_info() must return True or False as terminated, got {terminated!r}"
            )
        if self._tells_time:
            info = {TIME_STEP: time_step_info(time_step, began_ns), **info}
        return Observed(self.hand_out(observation, "get_obs_rew_terminated_info"), reward, bool(terminated), info)

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
