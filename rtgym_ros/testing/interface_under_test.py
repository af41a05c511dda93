"""An interface under test: called as an environment calls it, its answers checked, put away whatever happens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property, partial
from types import TracebackType
from typing import Any
from unittest import SkipTest

import numpy as np
from gymnasium import spaces
from gymnasium.utils import seeding

from rtgym_ros.core.action_buffer import copy_action
from rtgym_ros.core.errors import ActionError, InterfaceError
from rtgym_ros.core.time_source import TimeSource, to_ns
from rtgym_ros.envs.actions import ActionGuard
from rtgym_ros.envs.answers import is_finite_number, is_flag, unpack
from rtgym_ros.envs.clock_thread import ClockThread, Request
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.interface_calls import CAPTURE, SEND, InterfaceCalls
from rtgym_ros.envs.observations import ObservationGuard
from rtgym_ros.testing.rules import require


class InterfaceUnderTest:
    """Makes an interface when it is entered; when it is left, sends the safe action and closes the interface.

    Args:
        make: makes the interface.
        time_step_duration: between sending and capturing in :meth:`step` (s).
        timeout_s: how long one call may last (s).
        time_source: the clock to wait and to measure with; None for the interface's own.
        render_mode: what the interface is told of it.

    Attributes:
        interface: the user's.
        observed: the last observation as an environment would hand it out: cast to its space and copied.
        durations_ns: how long each call of :data:`SEND` and :data:`CAPTURE` took (ns).
    """

    interface: RealTimeGymInterface
    observed: Any

    def __init__(
        self,
        make: Callable[[], Any],
        time_step_duration: float,
        timeout_s: float,
        time_source: TimeSource | None = None,
        render_mode: str | None = None,
    ) -> None:
        self._make = make
        self._time_step_ns = to_ns(time_step_duration)
        self._calls = InterfaceCalls(timeout_s)
        self._thread = ClockThread(self._calls)
        self._time_source = time_source
        self._render_mode = render_mode
        self._rng: np.random.Generator | None = None
        self._has_acted = False
        self._terminated = False
        self._closed = False
        self.durations_ns: dict[str, list[int]] = defaultdict(list)

    def __enter__(self) -> InterfaceUnderTest:
        """Make it."""
        try:
            made = self._run("__init__", self._make)
            require(
                isinstance(made, RealTimeGymInterface),
                f"make_interface() must return a RealTimeGymInterface, got {made!r}",
            )
        except BaseException:
            self._thread.end()
            raise
        self.interface = made
        self.interface.render_mode = self._render_mode
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put it away."""
        try:
            if error is None:
                self.close()
            else:
                with suppress(Exception):  # what led here is the error to raise
                    self.close()
        finally:
            self._thread.end()

    @cached_property
    def clock(self) -> TimeSource:
        """What is waited and measured with."""
        clock = self.call("get_time_source") if self._time_source is None else self._time_source
        require(isinstance(clock, TimeSource), f"get_time_source() must return a TimeSource, got {clock!r}")
        return clock

    @cached_property
    def action_space(self) -> spaces.Space[Any]:
        """What ``get_action_space()`` returns."""
        space: spaces.Space[Any] = self.call("get_action_space")
        require(
            isinstance(space, spaces.Space), f"get_action_space() must return a gymnasium.spaces.Space, got {space!r}"
        )
        return space

    @cached_property
    def observation_space(self) -> spaces.Space[Any]:
        """What ``get_observation_space()`` returns."""
        space: spaces.Space[Any] = self.call("get_observation_space")
        require(
            isinstance(space, (spaces.Tuple, spaces.Dict, spaces.Box)),
            f"get_observation_space() must return a gymnasium.spaces.Tuple, Dict or Box, got {space!r}",
        )
        return space

    def call(self, method: str, *args: Any, demand: str = "", **keywords: Any) -> Any:
        """Return what a method of the interface returns.

        Args:
            method: its name.
            *args: with what.
            demand: what the failure says beside the error.
            **keywords: with what else.

        Raises:
            AssertionError: it raised, or was blocked for too long.
        """
        try:
            return self._run(method, partial(getattr(self.interface, method), *args, **keywords))
        except SkipTest:
            raise
        except Exception as error:
            raise AssertionError(f"{method}() raised {type(error).__name__}: {error}{demand}") from error

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Begin an episode as ``env.reset(seed=seed, options=options)`` does; return the observation as it came.

        Raises:
            AssertionError: the interface raised, or did not return an observation in its space and an info.
        """
        if seed is not None or self._rng is None:
            self._rng, _ = seeding.np_random(seed)
        self.interface.np_random = self._rng
        self._terminated = False
        answer = self.call("reset", seed=seed, options=options)
        observation, _ = self._unpack(answer, "reset", ("observation", "info"))
        return observation

    def send(self, action: Any, demand: str = "") -> None:
        """Send an action, which the interface may keep; ``demand`` is what a failure says beside the error."""
        self._has_acted = True
        self._measured(SEND, action, demand=demand)

    def capture(self) -> Any:
        """Capture, in a new episode if the last capture ended one; return the observation as it came.

        Raises:
            AssertionError: the interface raised, or did not return what it is to return.
        """
        if self._terminated:
            self.reset()
            self.send(self.admit_action(self.call("get_default_action"), "get_default_action()"))
        names = ("observation", "reward", "terminated", "info")
        observation, reward, terminated, _ = self._unpack(self._measured(CAPTURE), CAPTURE, names)
        require(is_finite_number(reward), f"{CAPTURE}() must return a finite number as its reward, got {reward!r}")
        require(is_flag(terminated), f"{CAPTURE}() must return True or False as terminated, got {terminated!r}")
        self._terminated = bool(terminated)
        return observation

    def step(self, action: Any) -> Any:
        """Send a copy of ``action``, let a time-step pass and capture; return the observation as it came."""
        self.send(copy_action(action))
        self.let_a_time_step_pass()
        return self.capture()

    def admit_action(self, action: Any, source: str) -> Any:
        """Return ``action`` as an environment would send it: cast to its space, clipped into it and copied.

        Raises:
            AssertionError: it cannot; ``source`` names who returned it.
        """
        try:
            return ActionGuard(self.action_space).admit(action, source)
        except ActionError as error:
            raise AssertionError(str(error)) from None

    def let_a_time_step_pass(self) -> None:
        """Wait for the duration of a time-step."""
        self.clock.sleep_until_ns(self.clock.now_ns() + self._time_step_ns)

    def close(self, demand: str = "") -> None:
        """Send the safe action, if anything was ever sent, and close the interface; a second call does nothing.

        Args:
            demand: what the failure says beside the error of the interface's ``close``.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self._has_acted:
                self.call(SEND, self.admit_action(self.call("get_safe_action"), "get_safe_action()"))
        finally:
            self.call("close", demand=demand)

    def _run(self, method: str, function: Callable[[], Any]) -> Any:
        """Call a method in one thread, as an environment does; it may last as long as was given."""
        return self._thread.submit(Request(method, self._calls.call, method, function))

    def _measured(self, method: str, *args: Any, demand: str = "") -> Any:
        began_ns = self.clock.now_ns()
        answer = self.call(method, *args, demand=demand)
        self.durations_ns[method].append(self.clock.now_ns() - began_ns)
        return answer

    def _unpack(self, answer: Any, method: str, names: tuple[str, ...]) -> tuple[Any, ...]:
        """Check with the environments' own rules."""
        try:
            parts = unpack(answer, method, names)
            self.observed = self._observations.admit(parts[0], method)
        except InterfaceError as error:
            raise AssertionError(str(error)) from None
        return parts

    @cached_property
    def _observations(self) -> ObservationGuard:
        return ObservationGuard(self.observation_space, "raise")
