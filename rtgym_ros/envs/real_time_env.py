"""The environment: Gymnasium's API around the time-steps, which the clock thread makes."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any, NoReturn

import gymnasium
from gymnasium.envs.registration import EnvSpec

from rtgym_ros.core.benchmark import TraceBenchmark, make_benchmark
from rtgym_ros.core.caller_warning import warn_caller
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.elastic_clock import ElasticClock
from rtgym_ros.core.errors import ConfigError, RealtimeWarning, StateError
from rtgym_ros.core.time_source import TimeSource
from rtgym_ros.envs.clock_thread import Request
from rtgym_ros.envs.default_config import DEFAULT_CONFIG_DICT
from rtgym_ros.envs.forked import tell_of_forks
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.interface_host import InterfaceHost
from rtgym_ros.envs.state import State
from rtgym_ros.envs.termination import end_on_sigterm
from rtgym_ros.envs.time_step_loop import Step

_CHANGEABLE = (
    "time_step_duration",
    "start_obs_capture",
    "time_step_timeout_factor",
    "ep_max_length",
    "agent_timeout",
)


class RealTimeEnv(gymnasium.Env[Any, Any]):
    """A Gymnasium environment whose time-steps are held to an elastic clock (``rtgym_ros/RealTime-v1``).

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

    _spec: EnvSpec | None = None
    metadata: dict[str, Any] = {"render_modes": ["human", "rgb_array"], "render_fps": 20}  # noqa: RUF012 (Gymnasium's)

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
        self._is_closed = False
        self._closed_by = "after close()"
        self._clock = settings.make_clock()
        self._benchmark = make_benchmark(settings.benchmark, settings.benchmark_type, settings.benchmark_polyak)
        self._host = InterfaceHost(settings, self._clock, self._benchmark, time_source)
        self._loop = self._host.loop
        self._lock: AbstractContextManager[None] = self._host.make_lock()
        # A program that forgets close(), or ends without it, must not leave its robot moving.
        self._abandoned = weakref.finalize(self, self._host.close)
        end_on_sigterm()
        tell_of_forks(self)
        if render_mode is not None:
            self.interface.render_mode = render_mode
        self._now_ns = self._loop.time_source.now_ns
        self._show: Callable[[], Any] = self.render if render_mode == "human" else _nothing
        self.action_space = self._host.action_space
        self.observation_space = self._host.observation_space
        self._episode = self._host.episode
        self._admit, self._submit = self._host.guard.admit, self._host.submit
        for refusal in self._host.refusals:
            warn_caller(refusal, RealtimeWarning)

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
            entered_ns = self._now_ns()
            self._refuse_if_closed("reset()")
            super().reset(seed=seed)
            request = Request("reset", self._loop.reset, seed, options, self.np_random, after_time_step=True)
            answer: tuple[Any, dict[str, Any]] = self._host.submit(request)
            self._host.begin_episode()
            self._benchmark.call(entered_ns, self._loop.over_ns, self._now_ns(), is_step=False)
            self._host.warnings.give(self._now_ns())
            self._show()
            return answer

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
        with self._lock:
            entered_ns = self._now_ns()
            self._refuse_if_closed("step()")
            self._loop.refuse_without_episode()
            admitted = self._admit(action)
            request = Request("step", self._loop.step, admitted, after_time_step=True)
            answer: Step = self._submit(request)
            now_ns = self._now_ns()
            self._benchmark.call(entered_ns, self._loop.over_ns, now_ns, is_step=True)
            self._host.warnings.give(now_ns)
            self._show()
            return answer

    def render(self, mode: str = "human", join_thread: bool = False) -> Any:
        """Return or show what the interface renders: a frame of shape (height, width, 3), uint8, or None.

        Args:
            mode: ignored, for the programs that give it: ``gymnasium.make`` takes a ``render_mode``.
            join_thread: wait for the running time-step first (Real-Time Gym's).
        """
        with self._lock:
            self._refuse_if_closed("render()")
            if join_thread:
                self.stop()
            return self._host.submit(Request("render", self._loop.render, self.render_mode))

    def close(self) -> None:
        """Send the safe action, close the interface and end every thread; a second call does nothing."""
        with self._lock:
            if self._abandoned.detach() is not None:
                self._is_closed = True
                self._host.close()

    def lose_in_fork(self) -> None:
        """Be closed in a forked process, whose threads and robot are still those of the parent."""
        self._abandoned.detach()
        self._host.lose_in_fork()
        self._lock = nullcontext()  # the lock may be held by a thread that is not here
        self._is_closed = True
        self._closed_by = "in a forked process"

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            "a real-time environment holds a robot and a thread and cannot be copied or pickled: "
            "make another one with its configuration (env.unwrapped.config is picklable where its interface is)"
        )

    @property
    def spec(self) -> EnvSpec | None:
        """What ``gymnasium.make`` was given; ``max_episode_steps`` is ``ep_max_length`` where that is finite."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        length = self.config.ep_max_length
        if spec is not None and spec.max_episode_steps is None and length < inf:
            spec = copy(spec)  # gymnasium.make would put a TimeLimit around the environment otherwise
            spec.max_episode_steps = int(length)
        self._spec = spec

    # --- Real-Time Gym ---

    @property
    def interface(self) -> RealTimeGymInterface:
        """The user's interface."""
        return self._host.interface

    @property
    def state(self) -> State:
        """What the environment is doing."""
        return State.CLOSED if self._is_closed else self._loop.state

    @property
    def clock(self) -> ElasticClock:
        """The elastic clock, with its counts of time-steps, overruns and timeouts."""
        return self._clock

    @property
    def agent_timeouts(self) -> int:
        """How often the safe action was sent because nobody called ``step()`` or ``reset()`` in time."""
        return self._loop.agent_timeouts

    @property
    def realtime_refusals(self) -> tuple[str, ...]:
        """The real-time measures of the configuration that the system has refused, a line each."""
        return self._host.refusals

    @property
    def default_action(self) -> Any:
        """A copy of the action that ``reset()`` sends."""
        return self._host.guard.admit(self._episode.default_action)

    def start(self) -> None:
        """Let the interface ready the robot before the first ``reset()``, which does so otherwise.

        Raises:
            StateError: the environment is closed.
            Exception: what the interface raised; the robot was stopped, and ``reset()`` begins again.
        """
        with self._lock:
            self._refuse_if_closed("start()")
            self._host.submit(Request("start", self._loop.start))

    def wait(self) -> None:
        """Pause: wait for the running time-step, then let the interface hold the robot until the next call."""
        with self._lock:
            self._refuse_if_closed("wait()")
            self._host.submit(Request("wait", self._loop.wait, after_time_step=True))

    def stop(self) -> None:
        """Wait for the running time-step."""
        with self._lock:
            if self.state is not State.CLOSED:
                self._host.submit(Request("stop", self._loop.join, after_time_step=True))

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
        with self._lock:
            self._episode.default_action = self._host.guard.admit(default_action, "default_action")

    def set_time_step_duration(self, time_step_duration: float, time_step_timeout_factor: float | None = None) -> None:
        """Change the nominal duration (s), and the elasticity (time-steps), from the next time-step on.

        Raises:
            ConfigError: out of range.
        """
        if time_step_timeout_factor is None:
            time_step_timeout_factor = self.config.time_step_timeout_factor
        self.reconfigure(time_step_duration=time_step_duration, time_step_timeout_factor=time_step_timeout_factor)

    def set_start_obs_capture(self, start_obs_capture: float) -> None:
        """Change when the observation is captured (s from the start), from the next time-step on.

        Raises:
            ConfigError: out of range.
        """
        self.reconfigure(start_obs_capture=start_obs_capture)

    def set_ep_max_length(self, ep_max_length: float) -> None:
        """Change the time-steps until truncation, a whole number or ``inf``, from the next time-step on.

        Raises:
            ConfigError: out of range.
        """
        self.reconfigure(ep_max_length=ep_max_length)

    def reconfigure(self, **changes: float) -> None:
        """Change several entries of the configuration at once, from the next time-step on.

        Args:
            **changes: ``time_step_duration``, ``start_obs_capture``, ``time_step_timeout_factor``, ``ep_max_length``
                or ``agent_timeout``.

        Raises:
            ConfigError: out of range, or another entry.
            StateError: the environment is closed.
        """
        fixed = sorted(set(changes) - set(_CHANGEABLE))
        if fixed:
            raise ConfigError(f"{fixed[0]} cannot be changed while the environment is open, only {_CHANGEABLE}")
        with self._lock:
            self._refuse_if_closed("reconfigure()")
            self.config = replace(self.config, **changes)  # type: ignore[arg-type]  # all of them are numbers
            self._host.submit(Request("configure", self._loop.configure, self.config))

    # --- inside ---

    def _refuse_if_closed(self, call: str) -> None:
        if self._is_closed or self._loop.state is State.CLOSED:
            raise StateError(f"{call} {self._closed_by}: make a new environment")

    def _refuse_unless_benchmarked(self, call: str) -> None:
        if not self.config.benchmark:
            raise StateError(f"{call} needs config['benchmark'] = True")


class RealTimeEnvTS(RealTimeEnv):
    """The same environment (``rtgym_ros/RealTime-ts-v1``), for programs that name it.

    In Real-Time Gym this one calls the interface in a single thread, and is the one to be used from several threads;
    here both do and are.
    """


def _nothing() -> None:
    pass
