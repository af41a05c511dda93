"""The environment: a state machine around the time-steps, the action buffer and the episode."""

from __future__ import annotations

import atexit
import logging
import weakref
from collections.abc import Callable, Mapping
from enum import Enum, auto
from threading import RLock
from types import TracebackType
from typing import Any

import gymnasium
from gymnasium import spaces

from rtgym_ros.core.action_buffer import ActionBuffer
from rtgym_ros.core.benchmark import make_benchmark
from rtgym_ros.core.config import RealTimeConfig, clock_timing
from rtgym_ros.core.elastic_clock import ElasticClock
from rtgym_ros.core.errors import ConfigError, InterfaceError, StateError
from rtgym_ros.core.time_source import TimeSource
from rtgym_ros.envs.actions import ActionGuard
from rtgym_ros.envs.default_config import DEFAULT_CONFIG_DICT
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.threading_strategy import BackgroundThread, CallerThread, ThreadingStrategy
from rtgym_ros.envs.time_step_work import Observed, TimeStepWork

_log = logging.getLogger(__name__)


class State(Enum):
    """What an environment is doing."""

    CREATED = auto()
    """Made, never reset: nothing has been sent."""
    RUNNING = auto()
    """In an episode."""
    DONE = auto()
    """The episode is over; ``reset()`` begins the next."""
    FAILED = auto()
    """The interface failed and the safe action was sent; ``reset()`` may begin again."""
    CLOSED = auto()
    """Closed for good."""


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
        self.config = RealTimeConfig.from_mapping(config)
        self.render_mode = render_mode
        self.metadata = {**self.metadata, "render_fps": max(round(1 / self.config.time_step_duration), 1)}
        self._state = State.CREATED
        self._has_acted = False
        self._lock = RLock()
        self._strategy = self._strategy_class(self.config.interface_timeout)
        try:
            self._build(time_source)
        except BaseException:
            self._strategy.close()
            raise
        # A program that ends without close() must not leave its robot moving.
        self._at_exit = _CloseAtExit(self)

    def _build(self, time_source: TimeSource | None) -> None:
        config = self.config
        self.interface: RealTimeGymInterface = self._strategy.call("__init__", _build_interface, config)
        self.interface.render_mode = self.render_mode
        self.action_space = self._strategy.call("get_action_space", self.interface.get_action_space)
        self.observation_space = self._observation_space()
        self._guard = ActionGuard(self.action_space, clip=config.out_of_bounds_action == "clip")
        self._safe_action = self._ask_action("get_safe_action", self.interface.get_safe_action)
        self._default_action = self._ask_action("get_default_action", self.interface.get_default_action)
        self._last_action = self._default_action
        self._buffer = ActionBuffer(int(config.act_buf_len))
        self._buffer.fill(self._default_action)
        self._appended = self._buffer if config.act_in_obs else ActionBuffer(0)
        self._ep_max_length = config.ep_max_length
        self._timing = (config.time_step_duration, config.start_obs_capture, config.time_step_timeout_factor)
        self._episode_time_steps = 0
        self._time = time_source or self._strategy.call("get_time_source", self.interface.get_time_source)
        self._clock = config.make_clock()
        self._benchmark = make_benchmark(config.benchmark, config.benchmark_type, config.benchmark_polyak)
        self._work = TimeStepWork(self.interface, config, self._clock, self._time, self._benchmark)
        self._strategy.attach(self._work, self._time)
        self._show: Callable[[], Any] = self.render if self.render_mode == "human" else _nothing
        self._left_step_ns: int | None = None

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
            self._guarded(self._strategy.join)
            self.interface.np_random = self.np_random
            observation, info = self._guarded(self._reset_interface, seed, options)
            if self.config.reset_act_buf:
                self._buffer.fill(self._default_action)
            if not self.config.last_act_on_reset:
                # The newest was never sent: the episode ended before. What is sent now takes its place.
                self._last_action = self._default_action
                self._buffer.replace_newest(self._default_action)
            elif self.config.reset_act_buf:
                self._last_action = self._default_action
            self._episode_time_steps = 0
            self._has_acted = True
            self._guarded(self._strategy.start, self._last_action)
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
            entered_ns = self._time.now_ns()
            self._refuse_unless_running()
            action = self._guard.admit(action)
            observed: Observed = self._guarded(self._strategy.observed)
            self._episode_time_steps += 1
            self._buffer.append(action)
            self._last_action = action
            truncated = not observed.terminated and self._episode_time_steps >= self._ep_max_length
            # The time-step ends for the caller when the next one begins, or when there is no next one.
            if observed.terminated or truncated:
                self._guarded(self._strategy.join)
                joined_ns = self._time.now_ns()
                self._state = State.DONE
                if self.config.wait_on_done:
                    self.wait()
            else:
                self._guarded(self._strategy.start, action)
                joined_ns = self._work.began_ns or entered_ns
            self._record_step(entered_ns, joined_ns)
            self._show()
            observation = (*observed.observation, *self._appended.snapshot())
            return observation, observed.reward, observed.terminated, truncated, observed.info

    def render(self) -> Any:
        """Return or show what the interface renders: a frame of shape (height, width, 3), uint8, or None."""
        with self._lock:
            self._refuse_if_closed("render()")
            return self._strategy.call("render", self.interface.render)

    def close(self) -> None:
        """Send the safe action, close the interface and end every thread; a second call does nothing."""
        with self._lock:
            if self._state is State.CLOSED:
                return
            self._state = State.CLOSED
            self._at_exit.cancel()
            self._strategy.abandon()
            try:
                if self._has_acted:
                    self._send_safe_action()
                self._strategy.call("close", self.interface.close)
            finally:
                self._strategy.close()

    def __enter__(self) -> RealTimeEnv:
        """Return the environment itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the environment."""
        self.close()

    # --- Real-Time Gym ---

    @property
    def state(self) -> State:
        """What the environment is doing."""
        return self._state

    @property
    def clock(self) -> ElasticClock:
        """The elastic clock, with its counts of time-steps, overruns and timeouts."""
        return self._clock

    @property
    def default_action(self) -> Any:
        """A copy of the action that ``reset()`` sends."""
        return self._guard.admit(self._default_action)

    def wait(self) -> None:
        """Pause: wait for the running time-step, then let the interface hold the robot until the next call."""
        with self._lock:
            self._refuse_if_closed("wait()")
            self._guarded(self._strategy.join)
            self._clock.pause()
            self._guarded(self._strategy.call, "wait", self.interface.wait)

    def stop(self) -> None:
        """Wait for the running time-step."""
        with self._lock:
            self._guarded(self._strategy.join)

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
            self._default_action = self._guard.admit(default_action, "default_action")

    def set_time_step_duration(self, time_step_duration: float, time_step_timeout_factor: float | None = None) -> None:
        """Change the nominal duration (s), and the elasticity (time-steps), from the next time-step on.

        Raises:
            ConfigError: out of range.
        """
        factor = self._timing[2] if time_step_timeout_factor is None else time_step_timeout_factor
        self._retime((time_step_duration, self._timing[1], factor))

    def set_start_obs_capture(self, start_obs_capture: float) -> None:
        """Change when the observation is captured (s from the start), from the next time-step on.

        Raises:
            ConfigError: out of range.
        """
        self._retime((self._timing[0], start_obs_capture, self._timing[2]))

    def set_ep_max_length(self, ep_max_length: float) -> None:
        """Change the time-steps until truncation, a whole number or ``inf``, from the next time-step on.

        Raises:
            ConfigError: out of range.
        """
        with self._lock:
            RealTimeConfig(interface=self.config.interface, ep_max_length=ep_max_length)
            self._ep_max_length = ep_max_length

    # --- inside ---

    def _retime(self, timing: tuple[float, float, float]) -> None:
        duration, capture, factor = timing
        with self._lock:
            RealTimeConfig(
                interface=self.config.interface,
                time_step_duration=duration,
                start_obs_capture=capture,
                time_step_timeout_factor=factor,
            )
            self._clock.retime(*clock_timing(*timing))
            self._timing = timing

    def _reset_interface(self, seed: int | None, options: dict[str, Any] | None) -> tuple[tuple[Any, ...], dict[str, Any]]:
        answer = self._strategy.call("reset", lambda: self.interface.reset(seed=seed, options=options))
        try:
            observation, info = answer
        except (TypeError, ValueError) as error:
            raise InterfaceError(f"reset() must return (observation, info), got {answer!r}") from error
        return self._work.preprocess(observation), info

    def _observation_space(self) -> spaces.Tuple:
        space = self._strategy.call("get_observation_space", self.interface.get_observation_space)
        if not isinstance(space, spaces.Tuple):
            raise InterfaceError(f"get_observation_space() must return a gymnasium.spaces.Tuple, got {space!r}")
        appended = int(self.config.act_buf_len) if self.config.act_in_obs else 0
        return spaces.Tuple((*space.spaces, *(self.action_space,) * appended))

    def _ask_action(self, method: str, function: Callable[[], Any]) -> Any:
        return self._guard.admit(self._strategy.call(method, function), f"{method}()")

    def _record_step(self, entered_ns: int, joined_ns: int) -> None:
        left_ns = self._time.now_ns()
        if self._left_step_ns is not None:
            self._benchmark.record("inference_duration", entered_ns - self._left_step_ns)
        self._benchmark.record("join_duration", joined_ns - entered_ns)
        self._benchmark.record("step_duration", left_ns - entered_ns)
        self._left_step_ns = left_ns

    def _guarded(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run what calls the interface; if it fails, the robot gets the safe action and the caller the error."""
        try:
            return function(*args)
        except Exception:
            self._strategy.abandon()
            self._clock.pause()  # the next time-step starts afresh, and not because the caller was late
            if self._has_acted:
                self._send_safe_action()
            self._state = State.FAILED
            raise

    def _send_safe_action(self) -> None:
        try:
            self._strategy.call("send_control", self._work.send, self._safe_action)
        except Exception as error:  # what led here is the error to raise; this one must not hide it
            _log.error("the safe action could not be sent: %s", error)

    def _refuse_if_closed(self, call: str) -> None:
        if self._state is State.CLOSED:
            raise StateError(f"{call} after close(): make a new environment")

    def _refuse_unless_running(self) -> None:
        self._refuse_if_closed("step()")
        if self._state is not State.RUNNING:
            raise StateError(f"step() while {self._state.name}: no episode is under way, call reset() first")


class RealTimeEnvTS(RealTimeEnv):
    """The same, with every call to the interface in one background thread (``real-time-gym-ts-v1``).

    Its methods may be called from several threads.
    """

    _strategy_class = BackgroundThread


class _CloseAtExit:
    """Closes an environment that is still open when the interpreter ends, without keeping it alive until then."""

    def __init__(self, env: RealTimeEnv) -> None:
        self._env = weakref.ref(env)
        atexit.register(self._close)

    def cancel(self) -> None:
        atexit.unregister(self._close)

    def _close(self) -> None:
        env = self._env()
        if env is not None:
            env.close()


def _build_interface(config: RealTimeConfig) -> RealTimeGymInterface:
    if config.interface is RealTimeGymInterface:
        raise ConfigError("config['interface'] is still RealTimeGymInterface: set it to your own interface class")
    interface = config.interface(*config.interface_args, **config.interface_kwargs)
    if not isinstance(interface, RealTimeGymInterface):
        raise ConfigError(f"config['interface'] must make a RealTimeGymInterface, it made {interface!r}")
    return interface


def _nothing() -> None:
    pass
