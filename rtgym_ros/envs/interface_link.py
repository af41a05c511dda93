"""The environment's link to the user's interface: calls in its thread, answers checked, failures made safe."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.benchmark import Benchmark
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.elastic_clock import ElasticClock
from rtgym_ros.core.errors import ConfigError, InterfaceError, InterfaceTimeoutError, RtgymError
from rtgym_ros.core.time_source import TimeSource
from rtgym_ros.envs.actions import ActionGuard
from rtgym_ros.envs.agent_watchdog import AgentWatchdog
from rtgym_ros.envs.answers import is_frame
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.observations import ObservationGuard
from rtgym_ros.envs.pending_capture import CAPTURE, SEND
from rtgym_ros.envs.threading_strategy import ThreadingStrategy
from rtgym_ros.envs.time_step_work import Observed, TimeStepWork
from rtgym_ros.realtime.measures import RealtimeMeasures

_log = logging.getLogger(__name__)


class InterfaceLink:
    """Builds the interface and runs its time-steps.

    When it fails, the robot gets the safe action and the caller the error.

    Args:
        config: of the environment.
        strategy: which thread the interface belongs to.
        clock: lays out the time-steps.
        benchmark: hears how long calls take.
        time_source: the clock to use instead of the interface's.
    """

    def __init__(
        self,
        config: RealTimeConfig,
        strategy: ThreadingStrategy,
        clock: ElasticClock,
        benchmark: Benchmark,
        time_source: TimeSource | None,
    ) -> None:
        self._strategy = strategy
        self._clock = clock
        self._measures = RealtimeMeasures(config)
        self._has_acted = False
        self.failed = False
        """Whether a method of the interface has failed since the last time-step was started."""
        self.on_safe_action: Callable[[Any], None] = _nothing
        """Called with the safe action when it has been sent."""
        self.interface: RealTimeGymInterface = self._ask("__init__", _build, config)
        try:
            self.action_space = _space(self._ask("get_action_space", self.interface.get_action_space))
            self.observation_space = _tuple(self._ask("get_observation_space", self.interface.get_observation_space))
            self.guard = ActionGuard(self.action_space, config.out_of_bounds_action == "clip", config.action_check)
            self.default_action = self._ask_action("get_default_action", self.interface.get_default_action)
            self._safe_action = self._ask_action("get_safe_action", self.interface.get_safe_action)
            self.time_source = time_source or self._ask("get_time_source", self.interface.get_time_source)
            source = "obs_prepro_func after " if config.obs_prepro_func else ""
            observations = ObservationGuard(
                self.observation_space, config.observation_check, source, config.observation_arrays == "reused"
            )
            if not config.spin:
                self.time_source.spins = False
            use_slack = self._measures.use_slack if self._measures.collects else None
            self._work = TimeStepWork(
                self.interface, observations, config, clock, self.time_source, benchmark, use_slack
            )
            strategy.attach(self._work, self.time_source, self._measures)
            self.agent = AgentWatchdog(
                self.time_source, config.agent_timeout, self._stop_for_absent_agent, config.interface_timeout
            )
            self._measures.open()
        except BaseException:
            self._measures.close()
            with suppress(Exception):  # what led here is the error to raise
                strategy.call("close", self.interface.close, late=True)
            raise

    def start(self, action: Any) -> None:
        """Begin the next time-step, when the running one is over, by sending ``action``."""
        self._has_acted = True
        self._guarded(SEND, self._strategy.start, action)
        self.failed = False
        self._expect_agent()

    def advance(self, action: Any, is_last: bool) -> Observed:
        """Wait for the end of the running time-step and return what it captured; ``action`` begins the next one.

        None is begun where ``is_last``, or what was captured ends the episode.
        """
        observed: Observed = self._guarded("", self._strategy.advance, action, is_last)
        self._expect_agent()
        return observed

    @property
    def over_ns(self) -> int:
        """When :meth:`advance` began the next time-step (ns)."""
        return self._work.over_ns

    def join(self) -> None:
        """Wait for the end of the running time-step, if there is one."""
        self._guarded(CAPTURE, self._strategy.join)

    def reset(
        self, seed: int | None, options: dict[str, Any] | None, rng: np.random.Generator
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Reset the interface; return its observation, preprocessed, and its info."""
        self.interface.np_random = rng
        answer: tuple[tuple[Any, ...], dict[str, Any]] = self._guarded(
            "reset", self._strategy.call, "reset", self._work.reset, seed, options
        )
        self._measures.reset()
        return answer

    def wait(self) -> None:
        """Let the interface hold the robot; the clock excuses the time that passes."""
        self._clock.pause()
        self.agent.expect(None)
        self._guarded("wait", self._strategy.call, "wait", self.interface.wait)

    def render(self, mode: str | None) -> Any:
        """Return what the interface renders.

        Raises:
            InterfaceError: it is not a frame, where the mode asks for one.
        """
        return self._guarded("render", self._render, mode)

    @property
    def refusals(self) -> tuple[str, ...]:
        """The real-time measures that the system has refused, a line each."""
        return self._measures.refusals

    def lose_in_fork(self) -> None:
        """Undo in a forked process what the parent has set for itself."""
        self._measures.close()

    def close(self) -> None:
        """Send the safe action if anything was ever sent, close the interface, and end the threads."""
        agent_ended = self.agent.close()
        self._strategy.abandon()
        try:
            self._send_safe_action()
            self._ask("close", self.interface.close)
        finally:
            ended = self._strategy.close() and agent_ended
            self._measures.close()
        if not ended:
            raise InterfaceTimeoutError("the interface has not let go of its thread, which goes on in the background")

    def _expect_agent(self) -> None:
        """Wait for the agent from the end of the running time-step on."""
        time_step = self._work.begun
        self.agent.expect(None if time_step is None else time_step.end_ns)

    def _render(self, mode: str | None) -> Any:
        frame = self._strategy.call("render", self.interface.render)
        if mode == "rgb_array" and not is_frame(frame):
            shown = f"{frame.dtype} {frame.shape}" if isinstance(frame, np.ndarray) else repr(frame)
            raise InterfaceError(f"render() must return a uint8 array of shape (height, width, 3), got {shown}")
        return frame

    def _ask(self, method: str, function: Callable[..., Any], *args: Any) -> Any:
        try:
            return self._strategy.call(method, function, *args)
        except Exception as error:
            _name(error, method)
            raise

    def _guarded(self, method: str, function: Callable[..., Any], *args: Any) -> Any:
        """Return ``function(*args)``, or stop the robot; without a ``method`` it is what the time-step was calling."""
        try:
            return function(*args)
        except (Exception, SystemExit) as error:  # an interrupt, in contrast, is the caller's: nothing has failed
            _name(error, method or self._work.calling)
            self.failed = True
            self.agent.expect(None)  # the robot is stopped here
            self._strategy.abandon()
            self._clock.restart()
            self._send_safe_action()
            raise

    def _send_safe_action(self) -> None:
        if not self._has_acted:
            return
        try:
            self._strategy.call(SEND, self._work.send, self._safe_action, late=True)
        except Exception as error:  # what led here is the error to raise; this one must not hide it
            _log.error("the safe action could not be sent: %s", error)
        else:
            self.on_safe_action(self._safe_action)

    def _stop_for_absent_agent(self) -> None:
        _log.warning("nobody has called step() or reset() in time: the safe action is sent")
        self._send_safe_action()

    def _ask_action(self, method: str, function: Callable[[], Any]) -> Any:
        return self.guard.admit(self._ask(method, function), f"{method}()")


def _nothing(_action: Any) -> None:
    pass


def _name(error: BaseException, method: str) -> None:
    """Note on a foreign error which method of the interface it came out of (PEP 678: shown from Python 3.11 on)."""
    if not isinstance(error, RtgymError):
        error.__notes__ = [*getattr(error, "__notes__", ()), f"raised in the interface's {method}()"]


def _build(config: RealTimeConfig) -> RealTimeGymInterface:
    if config.interface is RealTimeGymInterface:
        raise ConfigError("config['interface'] is still RealTimeGymInterface: set it to your own interface class")
    interface = config.interface(*config.interface_args, **config.interface_kwargs)
    if not isinstance(interface, RealTimeGymInterface):
        older = hasattr(interface, "get_obs_rew_done")
        hint = "; gymnasium.make('rtgym_ros/gym-rt-v0', ...) takes one of the older generation" if older else ""
        raise ConfigError(f"config['interface'] must make a RealTimeGymInterface, it made {interface!r}{hint}")
    return interface


def _space(space: Any) -> spaces.Space[Any]:
    if not isinstance(space, spaces.Space):
        raise InterfaceError(f"get_action_space() must return a gymnasium.spaces.Space, got {space!r}")
    return space


def _tuple(space: Any) -> spaces.Tuple[Any]:
    if not isinstance(space, spaces.Tuple):
        raise InterfaceError(f"get_observation_space() must return a gymnasium.spaces.Tuple, got {space!r}")
    return space
