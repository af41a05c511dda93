"""The environment: a state machine around the time-steps, the action buffer and the episode."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
from gymnasium import spaces

from rtgym_ros.core.benchmark import TraceBenchmark, make_benchmark
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.elastic_clock import ElasticClock
from rtgym_ros.core.errors import ConfigError, StateError
from rtgym_ros.core.time_source import TimeSource
from rtgym_ros.envs.background_thread import BackgroundThread
from rtgym_ros.envs.caller_thread import CallerThread
from rtgym_ros.envs.default_config import DEFAULT_CONFIG_DICT
from rtgym_ros.envs.episode import Episode
from rtgym_ros.envs.forked import tell_of_forks
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.interface_link import InterfaceLink
from rtgym_ros.envs.state import State
from rtgym_ros.envs.threading_strategy import ThreadingStrategy


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
        self._closed_by = "after close()"
        self._clock = settings.make_clock()
        self._benchmark = make_benchmark(settings.benchmark, settings.benchmark_type, settings.benchmark_polyak)
        strategy = self._strategy_class(settings.interface_timeout)
        try:
            self._link = InterfaceLink(settings, strategy, self._clock, self._benchmark, time_source)
        except BaseException:
            strategy.close()
            raise
        if render_mode is not None:
            self.interface.render_mode = render_mode
        self._now_ns = self._link.time_source.now_ns
        self._show: Callable[[], Any] = self.render if render_mode == "human" else _nothing
        self.action_space = self._link.action_space
        appended = int(settings.act_buf_len) if settings.act_in_obs else 0
        self.observation_space = spaces.Tuple(
            (*self._link.observation_space.spaces, *(self._link.action_space,) * appended)
        )
        self._turn: AbstractContextManager[None] = self._link.agent
        self._episode = Episode(settings, self._link.default_action)
        self._link.on_safe_action = self._episode.send_between
        # A program that forgets close(), or ends without it, must not leave its robot moving.
        self._abandoned = weakref.finalize(self, self._link.close)
        tell_of_forks(self)

    # --- Gymnasium ---

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode: wait for the running time-step, reset the interface, send the default action.

        Returns:
            The observation (the interface's elements, then the action buffer, oldest first) and the interface's info.

        Raises:
            StateError: the environment is closed.
            Exception: what the interface raised; the safe action was sent and ``reset()`` may be called again.
        """
        with self._turn:
            entered_ns = self._now_ns()
            self._refuse_if_closed("reset()")
            super().reset(seed=seed)
            self._link.join()
            joined_ns = self._now_ns()
            observation, info = self._link.reset(seed, options, self.np_random)
            self._start(self._episode.first_action, self._begin_episode)
            self._benchmark.call(entered_ns, joined_ns, self._now_ns(), is_step=False)
            self._show()
            return self._episode.observed(observation), info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Wait for the running time-step, then begin the next one by sending ``action``.

        Returns:
            The observation that the running time-step brought (with ``action`` as the newest of the action buffer),
            its reward, terminated, truncated and info.

        Raises:
            ActionError: the action is not one; nothing was sent and the time-step goes on.
            StateError: no episode is under way.
            Exception: what the interface raised; the safe action was sent and ``reset()`` begins again.
        """
        with self._turn:
            entered_ns = self._now_ns()
            self._refuse_unless_running()
            action = self._link.guard.admit(action)
            is_last = self._episode.time_steps + 1 >= self.config.ep_max_length
            begun = self._clock.time_steps
            try:
                observed = self._link.advance(action, is_last)
            finally:  # what was sent is taken into account, even if the user interrupts
                if self._clock.time_steps > begun:
                    self._episode.take(action)
            joined_ns = self._link.over_ns if self._clock.time_steps > begun else self._now_ns()
            if observed.terminated or is_last:
                self._episode.end(action)
                self._state = State.DONE
                if self.config.wait_on_done:
                    self.wait()
            self._benchmark.call(entered_ns, joined_ns, self._now_ns(), is_step=True)
            self._show()
            observation = self._episode.observed(observed.observation)
            truncated = is_last and not observed.terminated
            return observation, observed.reward, observed.terminated, truncated, observed.info

    def render(self, mode: str = "human", join_thread: bool = False) -> Any:
        """Return or show what the interface renders: a frame of shape (height, width, 3), uint8, or None.

        Args:
            mode: ignored, for the programs that give it: ``gymnasium.make`` takes a ``render_mode``.
            join_thread: wait for the running time-step first (Real-Time Gym's).
        """
        with self._turn:
            self._refuse_if_closed("render()")
            if join_thread:
                self._link.join()
            return self._link.render(self.render_mode)

    def close(self) -> None:
        """Send the safe action, close the interface and end every thread; a second call does nothing."""
        with self._turn:
            if self._state is State.CLOSED:
                return
            self._state = State.CLOSED
            self._abandoned.detach()
            self._link.close()

    def lose_in_fork(self) -> None:
        """Be closed in a forked process, whose threads and robot are still those of the parent."""
        self._abandoned.detach()
        self._link.lose_in_fork()
        self._turn = nullcontext()  # the lock in the other one may be held by somebody who is not here
        self._state = State.CLOSED
        self._closed_by = "in a forked process"

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
    def agent_timeouts(self) -> int:
        """How often the safe action was sent because nobody called ``step()`` or ``reset()`` in time."""
        return self._link.agent.stops

    @property
    def realtime_refusals(self) -> tuple[str, ...]:
        """The real-time measures of the configuration that the system has refused, a line each."""
        return self._link.refusals

    @property
    def default_action(self) -> Any:
        """A copy of the action that ``reset()`` sends."""
        return self._link.guard.admit(self._episode.default_action)

    def wait(self) -> None:
        """Pause: wait for the running time-step, then let the interface hold the robot until the next call."""
        with self._turn:
            self._refuse_if_closed("wait()")
            self._link.join()
            self._link.wait()

    def stop(self) -> None:
        """Wait for the running time-step."""
        with self._turn:
            self._link.join()

    def benchmarks(self) -> dict[str, Any]:
        """Return the durations measured so far, in seconds, as Real-Time Gym does.

        Returns:
            ``{name: (mean, mean deviation)}`` of the type ``"polyak"``, and ``{"clock": {event: times}, "deltas":
            {name: durations}}``, float64 arrays, of the type ``"trace"``. See :mod:`rtgym_ros.core.benchmark`.

        Raises:
            StateError: the environment is not benchmarked.
        """
        self._refuse_unless_benchmarked("benchmarks()")
        return self._benchmark.summary()

    def benchmark_statistics(self) -> dict[str, Any]:
        """Return what the durations were like so far.

        Returns:
            ``{name: {"count", "mean", "p50", "p90", "p99", "max"}}`` (s), and ``"time_steps"``, ``"overruns"``,
            ``"timeouts"``: how many there were.

        Raises:
            StateError: the environment is not benchmarked.
        """
        self._refuse_unless_benchmarked("benchmark_statistics()")
        clock = self._clock
        counts = {"time_steps": clock.time_steps, "overruns": clock.overruns, "timeouts": clock.timeouts}
        return {**self._benchmark.statistics(), **counts}

    def export_benchmark_trace(self, path: str | Path) -> None:
        """Write the trace to a CSV file that ``pandas.read_csv`` reads: event, start, end, duration (s).

        Raises:
            StateError: the environment keeps no trace.
            OSError: the file cannot be written.
        """
        if not isinstance(self._benchmark, TraceBenchmark):
            raise StateError(
                "export_benchmark_trace() needs config['benchmark'] = True and config['benchmark_type'] = 'trace'"
            )
        self._benchmark.export(path)

    def set_default_action(self, default_action: Any) -> None:
        """Change the action that ``reset()`` sends.

        Raises:
            ActionError: it is not an element of the action space.
        """
        with self._turn:
            self._episode.default_action = self._link.guard.admit(default_action, "default_action")

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
        with self._turn:
            self.config = replace(self.config, **changes)  # type: ignore[arg-type]  # all of them are numbers
            self._clock.retime(*self.config.clock_timing())

    def _start(self, action: Any, take: Callable[[Any], None]) -> None:
        """Begin the next time-step; once it has begun ``take`` the action into account, even if the user interrupts."""
        before = self._clock.time_steps
        try:
            self._link.start(action)
        finally:
            if self._clock.time_steps > before:
                take(action)

    def _begin_episode(self, action: Any) -> None:
        self._episode.begin(action)
        self._state = State.RUNNING

    def _refuse_if_closed(self, call: str) -> None:
        if self._state is State.CLOSED:
            raise StateError(f"{call} {self._closed_by}: make a new environment")

    def _refuse_unless_benchmarked(self, call: str) -> None:
        if not self.config.benchmark:
            raise StateError(f"{call} needs config['benchmark'] = True")

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
