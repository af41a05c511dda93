"""What is done in one time-step, whichever thread does it: begin it, send the action, capture the observation."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtgym_ros.core.action_buffer import copy_action
from rtgym_ros.core.benchmark import NullBenchmark
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.elastic_clock import ElasticClock, TimeStep
from rtgym_ros.core.errors import InterfaceError, TimeStepTimeoutWarning
from rtgym_ros.core.time_source import TimeSource, to_s
from rtgym_ros.envs.interface import RealTimeGymInterface


@dataclass(frozen=True)
class Observed:
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
        config: RealTimeConfig,
        clock: ElasticClock,
        time_source: TimeSource,
        benchmark: NullBenchmark,
    ) -> None:
        self._interface = interface
        self._preprocess_action = config.act_prepro_func or _unchanged
        self._preprocess_observation = config.obs_prepro_func or _unchanged
        self._clock = clock
        self._time = time_source
        self._benchmark = benchmark
        self._began_ns: int | None = None

    def begin(self, action: Any) -> TimeStep:
        """Begin a time-step now and send ``action``."""
        began_ns = self._time.now_ns()
        time_step = self._clock.begin(began_ns)
        self.send(action)
        self._benchmark.record("send_control_duration", self._time.now_ns() - began_ns)
        if self._began_ns is not None:
            self._benchmark.record("time_step_duration", began_ns - self._began_ns)
        self._began_ns = began_ns
        if time_step.timed_out:
            warnings.warn(
                f"time-step {time_step.index} timed out: it began {to_s(time_step.lateness_ns):.6f} s late, "
                "more than its elasticity; the clock restarts from now",
                TimeStepTimeoutWarning,
                stacklevel=2,
            )
        self._interface.on_time_step(time_step)
        return time_step

    def send(self, action: Any) -> None:
        """Send an action outside the grid (the safe action), or as part of :meth:`begin`."""
        self._interface.send_control(self._preprocess_action(copy_action(action)))  # it may write into its own

    def capture(self, time_step: TimeStep) -> Observed:
        """Wait until the capture of ``time_step`` is due, then read the latest observation.

        Raises:
            InterfaceError: the interface did not return four values, or the reward is not a finite number.
        """
        self._time.sleep_until_ns(time_step.capture_ns)
        began_ns = self._time.now_ns()
        captured = self._interface.get_obs_rew_terminated_info()
        self._benchmark.record("get_obs_duration", self._time.now_ns() - began_ns)
        try:
            observation, reward, terminated, info = captured
        except (TypeError, ValueError) as error:
            raise InterfaceError(
                f"get_obs_rew_terminated_info() must return (observation, reward, terminated, info), got {captured!r}"
            ) from error
        if not _is_finite_number(reward):
            raise InterfaceError(f"get_obs_rew_terminated_info() must return a finite reward, got {reward!r}")
        return Observed(self.preprocess(observation), reward, bool(terminated), info)

    def preprocess(self, observation: Any) -> tuple[Any, ...]:
        """Return ``observation`` of the interface as the environment hands it out, less the action buffer."""
        return tuple(self._preprocess_observation(observation))


def _is_finite_number(value: Any) -> bool:
    try:
        array = np.asarray(value)
    except ValueError:  # a ragged list
        return False
    return array.ndim == 0 and array.dtype.kind in "biuf" and bool(np.isfinite(array))


def _unchanged(value: Any) -> Any:
    return value
