"""From what ``reset()`` and ``step()`` return to a recorded time-step."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, SupportsFloat

import numpy as np
from gymnasium import spaces

from rtgym_ros.record.parts import to_parts
from rtgym_ros.record.time_step import RecordedTimeStep

_NS = 1_000_000_000
_DELAYS = ("observation_delay", "action_delay", "alpha", "kappa", "beta", "total_delay")


class Observer:
    """Numbers the time-steps of one environment and makes a :class:`RecordedTimeStep` of each.

    Args:
        observation_space: of the environment.
        action_space: of the environment.
    """

    def __init__(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> None:
        self._observation_space = observation_space
        self._action_space = action_space
        self._index = 0
        self.episode = -1
        """The running episode, -1 before the first."""
        self._episode_step = 0

    def reset(self, observation: Any, info: Mapping[str, Any]) -> RecordedTimeStep:
        """Return the time-step with which an episode begins."""
        self.episode += 1
        self._episode_step = 0
        return self._record(observation, info)

    def step(self, action: Any, returned: tuple[Any, SupportsFloat, bool, bool, Mapping[str, Any]]) -> RecordedTimeStep:
        """Return the time-step of ``returned = env.step(action)``."""
        observation, reward, terminated, truncated, info = returned
        self._episode_step += 1
        step = self._record(observation, info)
        step.action = to_parts(self._action_space, action)
        step.reward, step.terminated, step.truncated = float(reward), bool(terminated), bool(truncated)
        return step

    def _record(self, observation: Any, info: Mapping[str, Any]) -> RecordedTimeStep:
        numbers = _numbers(info)
        captured = numbers.get("capture_time", math.nan)
        ages, delays, others = {}, {}, {}
        for name, value in numbers.items():
            if name.startswith(("ages/", "age/")):
                ages[name.partition("/")[2]] = value
            elif name in _DELAYS:
                delays[name] = value
            else:
                others[name] = value
        executed = info.get("executed_action")
        step = RecordedTimeStep(
            stamp_ns=time.time_ns() if math.isnan(captured) else round(captured * _NS),
            index=self._index,
            episode=self.episode,
            episode_step=self._episode_step,
            observation=to_parts(self._observation_space, observation),
            executed_action=() if executed is None else to_parts(self._action_space, executed),
            start_ns=_ns(numbers.get("time_step_start", math.nan)),
            lateness_ns=_ns(numbers.get("time_step_lateness", math.nan)),
            overrun=numbers.get("time_step_overrun") == 1,
            timed_out=numbers.get("time_step_timed_out") == 1,
            ages=ages,
            delays=delays,
            info=others,
        )
        self._index += 1
        return step


def _ns(seconds: float) -> int:
    return round(seconds * _NS) if math.isfinite(seconds) else 0


def _numbers(info: Mapping[str, Any], above: str = "") -> dict[str, float]:
    """Return every number in ``info`` as a float; the levels of nested mappings are joined by '/'."""
    found: dict[str, float] = {}
    for key, value in info.items():
        if isinstance(value, Mapping):
            found.update(_numbers(value, f"{above}{key}/"))
        elif isinstance(value, int | float | np.bool_ | np.integer | np.floating):
            found[f"{above}{key}"] = float(value)
    return found
