"""Random delays made constant: every action and every observation waits until it is of one age."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Any, SupportsFloat

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from rtgym_ros.core.action_buffer import copy_action
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.wrappers.augmentation import (
    ACTION_BUFFER,
    Appended,
    action_buffer_space,
    action_buffer_value,
    neutral_action,
)


class ConstantDelay(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Holds each observation until it is of a fixed age, and has each action applied when it is of a fixed age.

    With both at least as long as the random delays, what the agent sees is an environment of constant delays, for
    which the action buffer alone is enough: a conservative agent (Lee et al., arXiv 2507.18992). An observation that
    comes late is replaced by the newest one that is old enough. ``info`` is that of the observation that is returned,
    with its age.

    An environment that returns the newest observation drops those that it has overtaken. So one beneath that has
    ``hold_observations``, as :class:`~rtgym_ros.wrappers.ArtificialDelays` has, holds them itself; elsewhere this
    wrapper holds what it is given, and returns the last observation of an episode at once.

    Args:
        env: an environment whose ``info`` has ``alpha``, the age of the observation (time-steps), with an observation
            that nothing was appended to: ``ArtificialDelays(..., act_buf_len=0, delays=())``.
        observation_delay: the age of observations (time-steps).
        action_delay: the age of actions when they are applied (time-steps); it needs an environment beneath that has
            ``hold_actions``, as :class:`~rtgym_ros.wrappers.ArtificialDelays` has; None leaves actions alone.
        act_buf_len: length of the action buffer that is appended; None is ``observation_delay + action_delay + 1``.
        initial_action: fills the action buffer at ``reset()``; None is zero.

    Attributes:
        late_observations: time-steps since ``reset()`` in which none of the age was there.

    Raises:
        ConfigError: a value makes no sense, or nothing beneath can hold actions.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        observation_delay: int,
        action_delay: int | None = None,
        *,
        act_buf_len: int | None = None,
        initial_action: Any = None,
    ) -> None:
        RecordConstructorArgs.__init__(
            self,
            observation_delay=observation_delay,
            action_delay=action_delay,
            act_buf_len=act_buf_len,
            initial_action=initial_action,
        )
        super().__init__(env)
        length = observation_delay + (action_delay or 0) + 1 if act_buf_len is None else act_buf_len
        for name, value in (
            ("observation_delay", observation_delay),
            ("action_delay", action_delay or 0),
            ("act_buf_len", length),
        ):
            if not (isinstance(value, int) and value >= 0):
                raise ConfigError(f"{name} must be a whole number of time-steps, 0 or more, got {value!r}")
        if action_delay is not None:
            try:
                hold = env.get_wrapper_attr("hold_actions")
            except AttributeError:
                raise ConfigError(
                    "action_delay needs an environment that can hold actions (ArtificialDelays); None leaves them alone"
                ) from None
            hold(action_delay)
        # An AttributeError says that nothing beneath holds observations.
        with suppress(AttributeError):
            env.get_wrapper_attr("hold_observations")(observation_delay)
        self._age = observation_delay
        self._initial_action = neutral_action(env.action_space) if initial_action is None else initial_action
        self._buffer: deque[Any] = deque(maxlen=length)
        parts: dict[str, spaces.Space[Any]] = {}
        if length:
            parts[ACTION_BUFFER] = action_buffer_space(env.action_space, length)
        self._appended = Appended(env.observation_space, parts)
        self.observation_space = self._appended.space
        self.late_observations = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; its first observation is returned until the next one is of the age."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._tick = -1
        self._held: deque[tuple[int, Any, float, dict[str, Any]]] = deque([(self._tick, observation, 0.0, info)])
        self._reward_so_far = self._reward_returned = 0.0
        self.late_observations = 0
        for _ in range(self._buffer.maxlen or 0):
            self._buffer.append(copy_action(self._initial_action))
        return self._augmented(observation), info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step, and return the observation that is of the age, with the rewards up to it.

        Raises:
            ConfigError: ``info`` has no ``alpha``, or it is not known.
        """
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._tick += 1
        self._buffer.append(copy_action(action))
        self._reward_so_far += float(reward)
        alpha = info.get("alpha", np.nan)
        if not alpha >= 0:
            raise ConfigError(f"ConstantDelay needs the age of the observation, info['alpha'], got {alpha}")
        sampled = self._tick - int(alpha)
        if sampled > self._held[-1][0]:
            self._held.append((sampled, observation, self._reward_so_far, info))
        wanted = (
            len(self._held)
            if terminated or truncated
            else sum(tick <= self._tick - self._age for tick, *_ in self._held)
        )
        for _ in range(wanted - 1):
            self._held.popleft()
        sampled, observation, reward_so_far, info = self._held[0]
        if terminated or truncated:
            reward_so_far = self._reward_so_far
        self.late_observations += sampled < self._tick - self._age and sampled >= 0
        returned, self._reward_returned = reward_so_far - self._reward_returned, reward_so_far
        alpha = float(self._tick - sampled)
        info = {**info, "alpha": alpha, "total_delay": alpha + info.get("beta", np.nan)}
        return self._augmented(observation), returned, terminated, truncated, info

    def _augmented(self, observation: Any) -> Any:
        observation = copy_action(observation)  # the same one may be returned again
        if not self._buffer.maxlen:
            return observation
        actions = [copy_action(action) for action in self._buffer]
        return self._appended.append(observation, [action_buffer_value(self.env.action_space, actions)])
