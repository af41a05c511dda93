"""The environment: a state machine around the time-steps, the action buffer and the episode."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import RLock
from typing import Any

import gymnasium
from gymnasium import spaces

from rtgym_ros.core.action_buffer import ActionBuffer
from rtgym_ros.core.benchmark import make_benchmark
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.elastic_clock import ElasticClock
from rtgym_ros.core.errors import ConfigError, StateError
from rtgym_ros.core.time_source import TimeSource
from rtgym_ros.envs.default_config import DEFAULT_CONFIG_DICT
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.interface_link import InterfaceLink
from rtgym_ros.envs.state import State
from rtgym_ros.envs.threading_strategy import BackgroundThread, CallerThread, ThreadingStrategy


class RealTimeEnv(gymnasium.Env[Any, Any]):
    """A Gymnasium environment whose time-steps are held to an elastic clock (``real-time-gym-v1``).

    ``step(action)`` waits for the end of the running time-step, returns the observation captured in it, and begins the
    next one by sending ``action``. The policy computes its next action while the robot moves.

    Args:
        config: a configuration dictionary; it is read, never written. See
            :class:`~rtgym_ros.core.config.RealTimeConfig`.
        render_mode: None, ``"human"`` (the interface is rendered every time-step) or ``"rgb_array"``.
        time_source: the clock to use instead of the interface's.

    Raises:
        ConfigError: an entry of the configuration is not valid.
    """

    metadata: dict[str, Any] = {"render_modes": ["human", "rgb_array"], "render_fps": 20}  # noqa: RUF012 (Gymnasium's)
    _strategy_class: type[ThreadingStrategy] = CallerThread

    def __init__(
        self,
        config: Mapping[str, Any] = DEFAULT_CONFIG_DICT,
        render_mode: str | None = None,
        time_source: TimeSource | None = None,
    ) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ConfigError(f"render_mode must be None, 'human' or 'rgb_array', got {render_mode!r}")
        self.config = settings = RealTimeConfig.from_mapping(config)
        self.render_mode = render_mode
        self.metadata = {**self.metadata, "render_fps": max(round(1 / settings.time_step_duration), 1)}
        self._state = State.CREATED
        self._lock = RLock()
        self._clock = settings.make_clock()
        self._benchmark = make_benchmark(settings.benchmark, settings.benchmark_type, settings.benchmark_polyak)
        self._left_step_ns: int | None = None
        strategy = self._strategy_class(settings.interface_timeout)
        try:
            self._link = InterfaceLink(settings, strategy, self._clock, self._benchmark, time_source)
        except BaseException:
            strategy.close()
            raise
        self.interface.render_mode = render_mode
        self._show: Callable[[], Any] = self.render if render_mode == "human" else _nothing
        self.action_space = self._link.action_space
        appended = int(settings.act_buf_len) if settings.act_in_obs else 0
        self.observation_space = spaces.Tuple(
            (*self._link.observation_space.spaces, *(self._link.action_space,) * appended)
        )
        self._default_action = self._last_action = self._link.default_action
        self._buffer = ActionBuffer(int(settings.act_buf_len))
        self._buffer.fill(self._default_action)
        self._appended = self._buffer if settings.act_in_obs else ActionBuffer(0)
        self._episode_time_steps = 0
        # A program that forgets close(), or ends without it, must not leave its robot moving.
        self._abandoned = weakref.finalize(self, self._link.close)

    # --- Gymnasium ---

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode: wait for the running time-step, reset the interface, send the default action.

        Returns:
            The observation (the interface's elements, then the action buffer, oldest first) and the interface's info.

        Raises:
            StateError: the environment is closed.
            Exception: what the interface raised; the safe action was sent and ``reset()`` may be called again.
        """
        with self._lock:
            self._refuse_if_closed("reset()")
            super().reset(seed=seed)
            self._link.join()
            observation, info = self._link.reset(seed, options, self.np_random)
            if self.config.reset_act_buf or not self.config.last_act_on_reset:
                self._last_action = self._default_action
            if self.config.reset_act_buf:
                self._buffer.fill(self._default_action)
            elif self.state is State.RUNNING:  # in mid-episode: what is sent now comes after the newest
                self._buffer.append(self._last_action)
            else:  # the newest was never sent, the episode ended before: what is sent now takes its place
                self._buffer.replace_newest(self._last_action)
            self._episode_time_steps = 0
            self._link.start(self._last_action)
            self._state = State.RUNNING
            self._left_step_ns = None
            self._show()
            return (*observation, *self._appended.snapshot()), info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Wait for the running time-step, then begin the next one by sending ``action``.

        Returns:
            What the running time-step brought: observation (with ``action`` as the newest of the action buffer),
            reward, terminated, truncated and info.

        Raises:
            ActionError: the action is not one; nothing was sent and the time-step goes on.
            StateError: no episode is under way.
            Exception: what the interface raised; the safe action was sent and ``reset()`` begins again.
        """
        with self._lock:
            entered_ns = self._link.time_source.now_ns()
            self._refuse_unless_running()
            action = self._link.guard.admit(action)
            observed = self._link.join()
            assert observed is not None, "an episode has a time-step under way"
            joined_ns = self._link.time_source.now_ns()
            # From here on the time-step is over: an interrupt before has changed nothing.
            self._episode_time_steps += 1
            self._buffer.append(action)
            self._last_action = action
            truncated = not observed.terminated and self._episode_time_steps >= self.config.ep_max_length
            if not (observed.terminated or truncated):
                self._link.start(action)
            else:
                self._state = State.DONE
                if self.config.wait_on_done:
                    self.wait()
            self._record_step(entered_ns, joined_ns)
            self._show()
            observation = (*observed.observation, *self._appended.snapshot())
            return observation, observed.reward, observed.terminated, truncated, observed.info

    def render(self) -> Any:
        """Return or show what the interface renders: a frame of shape (height, width, 3), uint8, or None."""
        with self._lock:
            self._refuse_if_closed("render()")
            return self._link.render()

    def close(self) -> None:
        """Send the safe action, close the interface and end every thread; a second call does nothing."""
        with self._lock:
            if self._state is State.CLOSED:
                return
            self._state = State.CLOSED
            self._abandoned.detach()
            self._link.close()

    # --- Real-Time Gym ---

    @property
    def interface(self) -> RealTimeGymInterface:
        """The user's interface."""
        return self._link.interface

    @property
    def state(self) -> State:
        """What the environment is doing."""
        if self._link.failed and self._state is not State.CLOSED:
            return State.FAILED
        return self._state

    @property
    def clock(self) -> ElasticClock:
        """The elastic clock, with its counts of time-steps, overruns and timeouts."""
        return self._clock

    @property
    def default_action(self) -> Any:
        """A copy of the action that ``reset()`` sends."""
        return self._link.guard.admit(self._default_action)

    def wait(self) -> None:
        """Pause: wait for the running time-step, then let the interface hold the robot until the next call."""
        with self._lock:
            self._refuse_if_closed("wait()")
            self._link.join()
            self._link.wait()

    def stop(self) -> None:
        """Wait for the running time-step."""
        with self._lock:
            self._link.join()

    def benchmarks(self) -> dict[str, Any]:
        """Return the durations measured so far, in seconds (see :mod:`rtgym_ros.core.benchmark`).

        Raises:
            StateError: the environment is not benchmarked.
        """
        if not self.config.benchmark:
            raise StateError("benchmarks() needs config['benchmark'] = True")
        return self._benchmark.summary()

    def set_default_action(self, default_action: Any) -> None:
        """Change the action that ``reset()`` sends.

        Raises:
            ActionError: it is not an element of the action space.
        """
        with self._lock:
            self._default_action = self._link.guard.admit(default_action, "default_action")

    def set_time_step_duration(self, time_step_duration: float, time_step_timeout_factor: float | None = None) -> None:
        """Change the nominal duration (s), and the elasticity (time-steps), from the next time-step on.

        Raises:
            ConfigError: out of range.
        """
        if time_step_timeout_factor is None:
            time_step_timeout_factor = self.config.time_step_timeout_factor
        self._reconfigure(time_step_duration=time_step_duration, time_step_timeout_factor=time_step_timeout_factor)

    def set_start_obs_capture(self, start_obs_capture: float) -> None:
        """Change when the observation is captured (s from the start), from the next time-step on.

        Raises:
            ConfigError: out of range.
        """
        self._reconfigure(start_obs_capture=start_obs_capture)

    def set_ep_max_length(self, ep_max_length: float) -> None:
        """Change the time-steps until truncation, a whole number or ``inf``, from the next time-step on.

        Raises:
            ConfigError: out of range.
        """
        self._reconfigure(ep_max_length=ep_max_length)

    # --- inside ---

    def _reconfigure(self, **changes: float) -> None:
        """Replace entries of the configuration, validated like those of the first one."""
        with self._lock:
            self.config = replace(self.config, **changes)  # type: ignore[arg-type]  # all of them are numbers
            self._clock.retime(*self.config.clock_timing())

    def _record_step(self, entered_ns: int, joined_ns: int) -> None:
        left_ns = self._link.time_source.now_ns()
        if self._left_step_ns is not None:
            self._benchmark.record("inference_duration", entered_ns - self._left_step_ns)
        self._benchmark.record("join_duration", joined_ns - entered_ns)
        self._benchmark.record("step_duration", left_ns - entered_ns)
        self._left_step_ns = left_ns

    def _refuse_if_closed(self, call: str) -> None:
        if self._state is State.CLOSED:
            raise StateError(f"{call} after close(): make a new environment")

    def _refuse_unless_running(self) -> None:
        self._refuse_if_closed("step()")
        if self.state is not State.RUNNING:
            raise StateError(f"step() while {self.state.name}: no episode is under way, call reset() first")


class RealTimeEnvTS(RealTimeEnv):
    """The same, with every call to the interface in one background thread (``real-time-gym-ts-v1``).

    Its methods may be called from several threads.
    """

    _strategy_class = BackgroundThread


def _nothing() -> None:
    pass
