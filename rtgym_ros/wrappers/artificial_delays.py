"""Random delays around any Gymnasium environment: a random-delay Markov decision process."""

from __future__ import annotations

import math
from collections import deque
from typing import Any, NamedTuple, SupportsFloat

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from rtgym_ros.core.action_buffer import copy_action
from rtgym_ros.core.errors import ConfigError, StateError, nearest
from rtgym_ros.delays.due_queue import DueQueue
from rtgym_ros.delays.named_profile import make_profile
from rtgym_ros.delays.profiles import ConstantDelays, DelayProfile
from rtgym_ros.wrappers.augmentation import (
    ACTION_BUFFER,
    DELAYS,
    Appended,
    action_buffer_space,
    action_buffer_value,
    neutral_action,
)

DelaySpec = DelayProfile | float | str
"""A profile; a number of time-steps (constant); or a name, see :func:`~rtgym_ros.delays.named_profile.make_profile`."""

_KINDS = ("alpha", "kappa", "beta")


class _Sample(NamedTuple):
    """An observation on its way to the agent."""

    tick: int
    observation: Any
    reward_so_far: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]
    applied: int
    """Number of the action under which it came about."""
    next_applied: int
    """Number of the action applied from then on."""


class ArtificialDelays(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Delays actions and observations by random numbers of time-steps (Bouteiller et al., arXiv 2010.02966).

    The environment becomes a robot that goes on while the agent thinks. In each ``step(action)`` the action is sent,
    the environment steps with the newest action *that had arrived before*, its observation is sent back, and the
    newest observation that has arrived is returned, with the rewards up to it. So without any delay an action still
    acts one time-step later, as in real-time reinforcement learning (Ramstedt and Pal 2019). Messages may overtake each
    other; older ones are then dropped. An episode ends when its last observation has arrived.

    The observation gets two parts (see :class:`~rtgym_ros.wrappers.augmentation.Appended` for how): ``action_buffer``,
    the last ``act_buf_len`` actions, oldest first, and ``delays``, each in [0, 1]. ``info`` has ``alpha``, ``kappa``,
    ``beta`` and ``total_delay`` as floats, in time-steps.

    Args:
        env: the environment.
        action_delay: of actions, from the agent to the environment.
        observation_delay: of observations, from the environment to the agent.
        time_step_duration: of the environment (s), where profiles are in seconds; with 1.0 they are in time-steps.
            Delays are rounded up to time-steps.
        act_buf_len: length of the action buffer; None is what the longest delays need (alpha + kappa + 1), 0 is none.
        delays: which of ``alpha``, ``kappa``, ``beta`` are observed; each is divided by the longest ``alpha + beta``.
        initial_action: what is applied from ``reset()`` until the first action arrives; None is zero.

    Raises:
        ConfigError: a value makes no sense, or ``act_buf_len`` is left out and a profile has no longest delay.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        action_delay: DelaySpec = 0,
        observation_delay: DelaySpec = 0,
        *,
        time_step_duration: float = 1.0,
        act_buf_len: int | None = None,
        delays: tuple[str, ...] = _KINDS,
        initial_action: Any = None,
    ) -> None:
        RecordConstructorArgs.__init__(
            self,
            action_delay=action_delay,
            observation_delay=observation_delay,
            time_step_duration=time_step_duration,
            act_buf_len=act_buf_len,
            delays=delays,
            initial_action=initial_action,
        )
        super().__init__(env)
        if not 0 < time_step_duration < math.inf:
            raise ConfigError(f"time_step_duration must be positive (s), got {time_step_duration}")
        for kind in delays:
            if kind not in _KINDS:
                raise ConfigError(f"delays must be of {', '.join(_KINDS)}, got {kind!r}{nearest(kind, _KINDS)}")
        self._duration = time_step_duration
        self._profiles = _profile(action_delay, time_step_duration), _profile(observation_delay, time_step_duration)
        longest = [self._steps(profile.maximum) for profile in self._profiles]
        if act_buf_len is None:
            if math.inf in longest:
                raise ConfigError("act_buf_len must be given: a delay profile has no longest delay")
            act_buf_len = int(sum(longest)) + 1
        if not (isinstance(act_buf_len, int) and act_buf_len >= 0):
            raise ConfigError(f"act_buf_len must be a whole number, 0 or more, got {act_buf_len!r}")
        self._initial_action = neutral_action(env.action_space) if initial_action is None else initial_action
        if self._initial_action not in env.action_space:
            raise ConfigError(f"initial_action must be in {env.action_space}, got {initial_action}")
        self._kinds = tuple(delays)
        self._bound = float(sum(longest) + 1) if math.inf not in longest else float(act_buf_len + 1)
        parts: dict[str, spaces.Space[Any]] = {}
        if act_buf_len:
            parts[ACTION_BUFFER] = action_buffer_space(env.action_space, act_buf_len)
        if delays:
            parts[DELAYS] = spaces.Box(0.0, 1.0, shape=(len(delays),), dtype=np.float32)
        self._appended = Appended(env.observation_space, parts)
        self.observation_space = self._appended.space
        self._buffer: deque[Any] = deque(maxlen=act_buf_len)
        self._rng: np.random.Generator | None = None
        self._hold: int | None = None
        self._hold_observations = 0
        self._newest: _Sample | None = None

    def hold_actions(self, time_steps: int | None) -> None:
        """Have actions applied when they are of this age, from now on, and those that come later at once.

        None has them applied as they come. For :class:`~rtgym_ros.wrappers.constant_delay.ConstantDelay`.
        """
        self._hold = time_steps

    def hold_observations(self, time_steps: int) -> None:
        """Have observations returned when they are of this age, from now on, and those that come later at once."""
        self._hold_observations = time_steps

    @property
    def late_actions(self) -> int:
        """How many actions came later than they were to be applied, since ``reset()``."""
        return self._uplink.late if self._newest else 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; the first observation is there at once. A ``seed`` is that of the delays, too."""
        observation, info = self.env.reset(seed=seed, options=options)
        if seed is not None or self._rng is None:
            self._rng = np.random.default_rng(None if seed is None else [seed, 0xDE1A75])
            self._draw_action, self._draw_observation = (profile.draws(self._rng) for profile in self._profiles)
        self._tick = -1
        self._uplink: DueQueue[Any] = DueQueue()
        self._arriving: list[tuple[int, int, Any]] = []
        self._coming: list[tuple[int, _Sample]] = []
        for _ in range(self._buffer.maxlen or 0):
            self._buffer.append(copy_action(self._initial_action))
        self._applied: tuple[int, Any] = (-1, self._initial_action)
        self._reward_so_far = self._reward_returned = 0.0
        self._over = False
        self._newest = _Sample(-1, observation, 0.0, False, False, info, -2, -1)
        return self._observe(self._newest)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Send ``action``, let the environment step, and return the newest observation that has arrived.

        Raises:
            StateError: the episode is over, or ``reset()`` was never called.
        """
        if self._newest is None or self._newest.terminated or self._newest.truncated:
            raise StateError("step() of an episode that has ended, or not begun: call reset()")
        self._tick += 1
        self._send(action)
        if not self._over:
            applied, before = self._applied
            observation, reward, terminated, truncated, info = self.env.step(before)
            self._over = terminated or truncated
            self._reward_so_far += float(reward)
            self._apply()
            sample = _Sample(
                self._tick, observation, self._reward_so_far, terminated, truncated, info, applied, self._applied[0]
            )
            delay = max(int(self._steps(self._draw_observation())), self._hold_observations)
            self._coming.append((self._tick + delay, sample))
        for arrival, sample in self._coming:
            if arrival <= self._tick and sample.tick > self._newest.tick:
                self._newest = sample
        self._coming = [entry for entry in self._coming if entry[0] > self._tick and entry[1].tick > self._newest.tick]
        newest = self._newest
        reward = newest.reward_so_far - self._reward_returned
        self._reward_returned = newest.reward_so_far
        observation, info = self._observe(newest)
        return observation, reward, newest.terminated, newest.truncated, info

    def _send(self, action: Any) -> None:
        action = copy_action(action)
        self._buffer.append(action)
        self._arriving.append((self._tick + int(self._steps(self._draw_action())), self._tick, action))

    def _apply(self) -> None:
        """Take what has arrived; it is applied from the next step of the environment on."""
        for arrival, number, action in self._arriving:
            if arrival <= self._tick:
                self._uplink.offer(self._tick, number, arrival if self._hold is None else number + self._hold, action)
        self._arriving = [entry for entry in self._arriving if entry[0] > self._tick]
        self._applied = self._uplink.take(self._tick) or self._applied

    def _observe(self, sample: _Sample) -> tuple[Any, dict[str, Any]]:
        alpha = self._tick - sample.tick
        values = {"alpha": alpha, "kappa": sample.tick - sample.next_applied, "beta": sample.tick - sample.applied}
        parts: list[Any] = []
        if self._buffer.maxlen:
            parts.append(action_buffer_value(self.env.action_space, [copy_action(a) for a in self._buffer]))
        if self._kinds:
            shares = [min(values[kind] / self._bound, 1.0) for kind in self._kinds]
            parts.append(np.array(shares, dtype=np.float32))
        info = {key: float(value) for key, value in values.items()} | {"total_delay": float(alpha + values["beta"])}
        # A copy: the same one may be returned again.
        return self._appended.append(copy_action(sample.observation), parts), {**sample.info, **info}

    def _steps(self, delay: float) -> float:
        """Return a delay (s) in time-steps, rounded up but for what division rounds."""
        return delay if math.isinf(delay) else math.ceil(delay / self._duration - 1e-9)


def _profile(spec: DelaySpec, duration: float) -> DelayProfile:
    if isinstance(spec, DelayProfile):
        return spec
    return make_profile(spec) if isinstance(spec, str) else ConstantDelays(float(spec) * duration)
