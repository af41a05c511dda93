"""Pilots: from an observation of the drone's environment to a velocity, float32 of shape (2,), in m/s."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rtgym_ros.robots.drone.dynamics import limit_speed
from rtgym_ros.robots.drone.task import MAX_SPEED, TIME_STEP_DURATION

Observation = Sequence[Any]
Policy = Callable[[Observation], np.ndarray]


def hover(_observation: Observation) -> np.ndarray:
    """Stay."""
    return np.zeros(2, dtype=np.float32)


def make_random(seed: int) -> Policy:
    """Return a policy that draws uniformly from the action space."""
    rng = np.random.default_rng(seed)
    return lambda observation: rng.uniform(-MAX_SPEED, MAX_SPEED, size=2).astype(np.float32)


def make_p_controller(gain: float) -> Policy:
    """Return the tutorial's controller: ``gain`` (1/s) times the observed error, clipped to the action space."""
    return lambda observation: _proportional(_position(observation), _target(observation), gain)


class Predictor:
    """A Smith predictor (Smith 1957): controls where the drone will be when the action takes effect.

    The observed position is rolled forward by the actions still under way, over the time from when the drone sampled it
    to when it will apply the action to be chosen. The delays are the means of the tutorial's link.

    Args:
        gain: of the proportional law on the predicted error (1/s).
        observation_delay: mean age of the observed position at capture (s).
        action_delay: mean time from sending an action to its application (s).
        time_step_duration: of the environment (s).
    """

    def __init__(
        self,
        gain: float = 12.0,
        observation_delay: float = 0.036,
        action_delay: float = 0.036,
        time_step_duration: float = TIME_STEP_DURATION,
    ) -> None:
        self._gain = gain
        self._observation_delay = observation_delay
        self._action_delay = action_delay
        self._duration = time_step_duration

    def __call__(self, observation: Observation) -> np.ndarray:
        """Return the velocity for an observation with its action buffer."""
        return _proportional(self.predict(observation), _target(observation), self._gain)

    def predict(self, observation: Observation) -> np.ndarray:
        """Return the position (m) at which the next action will find the drone."""
        position = _position(observation)
        now, end = -self._observation_delay, self._duration + self._action_delay
        for age, action in enumerate(reversed(observation[4:])):  # the newest was sent at the capture, time 0
            applied_from = self._action_delay - age * self._duration
            applied_until = applied_from + self._duration
            overlap = min(applied_until, end) - max(applied_from, now)
            if overlap > 0:
                position = position + np.array(limit_speed((float(action[0]), float(action[1])), MAX_SPEED)) * overlap
        return position


def _position(observation: Observation) -> np.ndarray:
    return np.concatenate((observation[0], observation[1])).astype(np.float64)


def _target(observation: Observation) -> np.ndarray:
    return np.concatenate((observation[2], observation[3])).astype(np.float64)


def _proportional(position: np.ndarray, target: np.ndarray, gain: float) -> np.ndarray:
    velocity: np.ndarray = np.clip(gain * (target - position), -MAX_SPEED, MAX_SPEED).astype(np.float32)
    return velocity
