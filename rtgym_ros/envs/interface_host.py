"""Builds the user's interface in its clock thread, with all that checks and calls it, and closes it again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from gymnasium import spaces

from rtgym_ros.core.benchmark import Benchmark
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.elastic_clock import ElasticClock
from rtgym_ros.core.errors import (
    ActionWarning,
    ConfigError,
    InterfaceError,
    InterfaceTimeoutError,
    ObservationWarning,
)
from rtgym_ros.core.time_source import TimeSource
from rtgym_ros.envs.actions import ActionGuard
from rtgym_ros.envs.answers import AnswerCheck
from rtgym_ros.envs.clock_thread import CallerLock, ClockThread, Request
from rtgym_ros.envs.delays_part import DelaysPart
from rtgym_ros.envs.episode import Episode
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.interface_calls import InterfaceCalls
from rtgym_ros.envs.observation_layout import ObservationLayout
from rtgym_ros.envs.observations import ObservationGuard
from rtgym_ros.envs.step_warnings import StepWarnings
from rtgym_ros.envs.time_step_loop import TimeStepLoop
from rtgym_ros.realtime.measures import RealtimeMeasures


class InterfaceHost:
    """Holds the interface, its thread and its loop.

    Args:
        config: of the environment.
        clock: lays out the time-steps.
        benchmark: is given the times of sends and captures.
        time_source: the clock to use instead of the interface's.

    Attributes:
        interface: the user's.
        action_space: the interface's.
        observed_space: the interface's observation space.
        observation_space: the environment's, with the action buffer.
        guard: checks actions.
        episode: counts time-steps and keeps the action buffer.
        loop: the time-steps.
        warnings: what the clock thread has to tell the caller.
        submit: has a request run in the clock thread and returns its result (:meth:`ClockThread.submit`).
    """

    def __init__(
        self, config: RealTimeConfig, clock: ElasticClock, benchmark: Benchmark, time_source: TimeSource | None
    ) -> None:
        self.warnings = StepWarnings()
        self._measures = RealtimeMeasures(config)
        self._calls = InterfaceCalls.of(config)
        self._thread = ClockThread(self._calls, inline=time_source is not None and not time_source.passes_by_itself)
        self.submit = self._thread.submit
        built: list[RealTimeGymInterface] = []
        try:
            self.interface: RealTimeGymInterface = self._ask("__init__", _build, config, built)
            self._assemble(config, clock, benchmark, time_source)
        except BaseException:
            # Ctrl-C, which may have come while the interface was made, or an error of what it says of itself.
            for interface in built:
                with suppress(Exception):  # what led here is the error to raise
                    self._ask("close", interface.close)
            self._measures.close()
            self._thread.end()
            raise

    def _assemble(
        self, config: RealTimeConfig, clock: ElasticClock, benchmark: Benchmark, time_source: TimeSource | None
    ) -> None:
        interface = self.interface
        self.action_space = _action_space(self._ask("get_action_space", interface.get_action_space))
        observed: spaces.Space[Any] = self._ask("get_observation_space", interface.get_observation_space)
        self.observed_space = observed
        length = int(config.act_buf_len)
        # A delay as long as the action buffer is 1.
        delays = DelaysPart.in_time_steps(max(length, 1)) if config.delays == "observed" else None
        layout = ObservationLayout(observed, self.action_space, length if config.act_in_obs else 0, delays)
        self.observation_space = layout.space
        self.guard = ActionGuard(
            self.action_space,
            config.out_of_bounds_action,
            config.action_check,
            lambda message: self.warnings.add(ActionWarning, message),
        )
        guard = self.guard
        interface.count_clipped_actions = lambda: guard.clipped
        default_action = self._ask_action("get_default_action", interface.get_default_action)
        safe_action = self._ask_action("get_safe_action", interface.get_safe_action)
        time_source = time_source or self._ask("get_time_source", interface.get_time_source)
        if not config.spin:
            time_source.spins = False
        observations = ObservationGuard(
            observed,
            config.observation_check,
            lambda message: self.warnings.add(ObservationWarning, message),
            source="obs_prepro_func after " if config.obs_prepro_func else "",
            reused=config.observation_arrays == "reused",
        )
        self.episode = Episode(config, default_action)
        self.loop = TimeStepLoop(
            interface,
            self._calls,
            time_source,
            config,
            clock,
            benchmark,
            self.episode,
            layout.combine,
            AnswerCheck(observations, config),
            safe_action,
            self.warnings,
            self._measures.use_slack if self._measures.collects else None,
        )
        self._measures.open()
        self._thread.attach(self.loop)
        if self._measures.schedules:
            self.submit(Request("schedule", self._measures.schedule_this_thread))

    def make_lock(self) -> CallerLock:
        """Return a lock for public calls."""
        return CallerLock(self._thread)

    def begin_episode(self) -> None:
        """Take the real-time measures that wait for the first episode."""
        self._measures.reset()

    @property
    def refusals(self) -> tuple[str, ...]:
        """The real-time measures that the system has refused, a line each."""
        return self._measures.refusals

    def lose_in_fork(self) -> None:
        """Undo in a forked process what the parent has set for itself."""
        self._measures.close()

    def close(self) -> None:
        """Send the safe action if anything was ever sent, close the interface, and end the thread.

        Raises:
            InterfaceTimeoutError: the interface is blocked; it is closed when it returns, and the thread ends then.
        """
        try:
            self.submit(Request("close", self.loop.close))
        except InterfaceTimeoutError:
            self._thread.post(Request("close", self.loop.close))
            raise
        finally:
            self._thread.end()
            self._measures.close()

    def _ask(self, method: str, function: Callable[..., Any], *args: Any) -> Any:
        return self.submit(Request(method, self._calls.call, method, function, *args))

    def _ask_action(self, method: str, function: Callable[[], Any]) -> Any:
        return self.guard.admit(self._ask(method, function), f"{method}()")


def _build(config: RealTimeConfig, built: list[RealTimeGymInterface]) -> RealTimeGymInterface:
    """Return an interface, and add it to ``built``: whoever asked may be interrupted before the answer comes."""
    make = _imported(config.interface) if isinstance(config.interface, str) else config.interface
    if make is RealTimeGymInterface:
        raise ConfigError("config['interface'] is still RealTimeGymInterface: set it to your own interface class")
    interface = make(*config.interface_args, **config.interface_kwargs)
    if not isinstance(interface, RealTimeGymInterface):
        older = hasattr(interface, "get_obs_rew_done")
        hint = "; gymnasium.make('rtgym_ros/gym-rt-v0', ...) takes one of the older generation" if older else ""
        raise ConfigError(f"config['interface'] must make a RealTimeGymInterface, it made {interface!r}{hint}")
    built.append(interface)
    return interface


def _imported(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    try:
        made: Callable[..., Any] = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"config['interface'] = {name!r} cannot be imported: {error}") from error
    return made


def _action_space(space: Any) -> spaces.Space[Any]:
    if not isinstance(space, spaces.Space):
        raise InterfaceError(f"get_action_space() must return a gymnasium.spaces.Space, got {space!r}")
    return space
