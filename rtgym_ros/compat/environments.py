"""The environments that programs for Real-Time Gym get: its attributes, and whatever configuration it takes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from gymnasium import spaces

from rtgym_ros.compat.lenient_config import lenient
from rtgym_ros.compat.plain_interface import AdaptedInterface, adapting
from rtgym_ros.core.benchmark import Benchmark
from rtgym_ros.envs import real_time_env
from rtgym_ros.envs.default_config import DEFAULT_CONFIG_DICT
from rtgym_ros.envs.state import State


class RealTimeEnv(real_time_env.RealTimeEnv):
    """``real-time-gym-v1`` under ``python -m rtgym_ros.compat``, with Real-Time Gym's public attributes, read-only.

    Args:
        config: a configuration dictionary. The interface may be any class with the methods, and an entry that is not
            valid is replaced by the nearest that is, with a warning.
        render_mode: as of :class:`rtgym_ros.RealTimeEnv`.

    Raises:
        ConfigError: an entry of the configuration is not valid, and nothing valid is near.
    """

    def __init__(self, config: Mapping[str, Any] = DEFAULT_CONFIG_DICT, render_mode: str | None = None) -> None:
        self._given = dict(config) if isinstance(config, Mapping) else {}
        self._seed: int | None = None
        self._options: dict[str, Any] | None = None
        if self._given:
            config = lenient(self._given)
            if callable(config.get("interface")):
                config["interface"] = adapting(config["interface"])
        super().__init__(config, render_mode)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; see :meth:`rtgym_ros.RealTimeEnv.reset`."""
        self._seed, self._options = seed, options
        return super().reset(seed=seed, options=options)

    def benchmarks(self) -> dict[str, Any]:
        """Return the durations measured so far; see :meth:`rtgym_ros.RealTimeEnv.benchmarks`."""
        assert self.config.benchmark, "the benchmark option is not set: set benchmark=True in the configuration"
        return super().benchmarks()

    def reconfigure(self, **changes: float) -> None:
        """Change entries while the environment is open; see :meth:`rtgym_ros.RealTimeEnv.reconfigure`."""
        super().reconfigure(**lenient(changes))

    # --- Real-Time Gym's attributes ---

    @property
    def interface(self) -> Any:
        """The user's interface, as it was written."""
        made = super().interface
        return made.plain if isinstance(made, AdaptedInterface) else made

    @property
    def time_step_duration(self) -> float:
        """Nominal duration of a time-step (s)."""
        return self.config.time_step_duration

    @property
    def time_step_timeout_factor(self) -> float:
        """Elasticity (time-steps)."""
        return self.config.time_step_timeout_factor

    @property
    def time_step_timeout(self) -> float:
        """Elasticity (s)."""
        return self.config.time_step_duration * self.config.time_step_timeout_factor

    @property
    def start_obs_capture(self) -> float:
        """When observations are captured, from the start of a time-step (s)."""
        return self.config.start_obs_capture

    @property
    def ep_max_length(self) -> float:
        """Time-steps until truncation."""
        return self.config.ep_max_length

    @property
    def wait_on_done(self) -> bool:
        """Whether the interface's ``wait`` is called when an episode ends."""
        return self.config.wait_on_done

    @property
    def last_act_on_reset(self) -> bool:
        """Whether ``reset`` sends the last action."""
        return self.config.last_act_on_reset

    @property
    def act_prepro_func(self) -> Any:
        """What is applied to an action before it is sent, or None."""
        return self.config.act_prepro_func

    @property
    def obs_prepro_func(self) -> Any:
        """What is applied to an observation, or None."""
        return self.config.obs_prepro_func

    @property
    def act_in_obs(self) -> bool:
        """Whether the action buffer is in the observation."""
        return self.config.act_in_obs

    @property
    def act_buf_len(self) -> int:
        """Length of the action buffer."""
        return self.config.act_buf_len

    @property
    def reset_act_buf(self) -> bool:
        """Whether ``reset`` fills the action buffer with the default action."""
        return self.config.reset_act_buf

    @property
    def act_buf(self) -> deque[Any]:
        """A copy of the action buffer, oldest first."""
        return deque(self._episode.actions, maxlen=self.config.act_buf_len)

    @property
    def benchmark(self) -> bool:
        """Whether durations are measured."""
        return self.config.benchmark

    @property
    def benchmark_polyak(self) -> float:
        """Weight of the newest value in the running averages."""
        return self.config.benchmark_polyak

    @property
    def bench(self) -> Benchmark:
        """What measures the durations; :meth:`benchmarks` returns them."""
        return self._benchmark

    @property
    def current_step(self) -> int:
        """Time-steps since ``reset``."""
        return self._episode.time_steps

    @property
    def running(self) -> bool:
        """Whether an episode is under way."""
        return self.state is State.RUNNING

    @property
    def is_waiting(self) -> bool:
        """Whether the environment is paused: after ``wait()``, until a time-step begins."""
        return self._clock.is_paused

    @property
    def time_initialized(self) -> bool:
        """Whether there was a ``reset`` already."""
        return self._clock.time_steps > 0

    @property
    def seed(self) -> int | None:
        """What the last ``reset`` was given."""
        return self._seed

    @property
    def options(self) -> dict[str, Any] | None:
        """What the last ``reset`` was given."""
        return self._options


class RealTimeEnvTS(RealTimeEnv):
    """``real-time-gym-ts-v1`` under ``python -m rtgym_ros.compat``: the same, with what else that one has."""

    @property
    def interface_cls(self) -> Any:
        """What the configuration names as interface."""
        return self._given["interface"]

    @property
    def interface_args(self) -> Any:
        """Positional arguments of it."""
        return self.config.interface_args

    @property
    def interface_kwargs(self) -> Any:
        """Keyword arguments of it."""
        return dict(self.config.interface_kwargs)

    @property
    def interface_action_space(self) -> spaces.Space[Any]:
        """The interface's action space."""
        return self.action_space

    @property
    def interface_observation_space(self) -> spaces.Space[Any]:
        """The interface's observation space, without the action buffer."""
        return self._host.observed_space
