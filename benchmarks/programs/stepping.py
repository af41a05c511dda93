"""One environment, stepped for a while by an agent that returns its action at once, or works before."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from time import perf_counter_ns, process_time_ns
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np

from benchmarks.peers import ENVIRONMENTS
from benchmarks.programs.stamping_interface import Diary, stamping_interface

_SPARE = 100
"""Entries: a time-step goes on after the last step()."""


class SteppedEnvironment:
    """A peer's environment around the stamping interface.

    Args:
        peer: a name in :data:`~benchmarks.peers.ENVIRONMENTS`.
        period_ns: of the clock.
        longest_s: how long it is stepped at most (s).
        elasticity: ``time_step_timeout_factor``.
        work: what the agent does before each action.
    """

    def __init__(
        self,
        peer: str,
        period_ns: int,
        longest_s: float,
        elasticity: float = 1.0,
        work: Callable[[], object] | None = None,
    ) -> None:
        environment = ENVIRONMENTS[peer]
        package = package_of(peer)
        # No time-step is faster than 10 us, whatever the period.
        self._capacity = int(1.2e9 * longest_s / max(period_ns, 10_000)) + _SPARE
        self._diary = Diary(self._capacity + _SPARE)
        config = {
            **package.DEFAULT_CONFIG_DICT,
            "interface": stamping_interface(package.RealTimeGymInterface),
            "interface_args": (self._diary,),
            "time_step_duration": period_ns / 1e9,
            "start_obs_capture": period_ns / 1e9,
            "time_step_timeout_factor": elasticity,
            **environment.config,
        }
        self._env = gymnasium.make(environment.env_id, config=config)
        self._action = np.zeros(2, np.float32)
        self._work = work
        self._work_ns: list[int] = []
        self._count_timeouts = _timeout_counter(self._env.unwrapped)

    def reset(self) -> None:
        """Begin an episode."""
        self._env.reset()

    def record(self, seconds: float, warm_up_s: float) -> dict[str, Any]:
        """Step it for ``seconds`` after a warm-up; return what was written down since then."""
        self._step_for(warm_up_s)
        diary = self._diary
        self._work_ns.clear()
        first, timeouts = len(diary.returns), self._count_timeouts()
        began_ns, cpu_began_ns = perf_counter_ns(), process_time_ns()
        self._step_for(seconds)
        cpu_ns, wall_ns = process_time_ns() - cpu_began_ns, perf_counter_ns() - began_ns
        end = len(diary.returns)
        return {
            "sends": diary.sends.between(first, end),
            "captures": diary.captures.between(first, end),
            "due": diary.due.between(first, end),
            "returns": diary.returns.between(first, end),
            "work": self._work_ns,
            "timeouts": self._count_timeouts() - timeouts,
            "cpu_ns": cpu_ns,
            "wall_ns": wall_ns,
        }

    def close(self) -> None:
        """Let the running time-step end, then close it."""
        self._env.unwrapped.stop()
        self._env.close()

    def _step_for(self, seconds: float) -> None:
        step, action, returns, work = self._env.step, self._action, self._diary.returns, self._work
        end_ns = perf_counter_ns() + round(1e9 * seconds)
        while perf_counter_ns() < end_ns and len(returns) < self._capacity:
            step(action)
            returns.stamp()
            if work is not None:
                began_ns = perf_counter_ns()
                work()
                self._work_ns.append(perf_counter_ns() - began_ns)


def package_of(peer: str) -> ModuleType:
    """Import and return the package that has the environment of ``peer``."""
    return importlib.import_module(ENVIRONMENTS[peer].package)


def _timeout_counter(env: Any) -> Callable[[], int]:
    """Return a function that tells how many time-steps have timed out so far."""
    warnings.simplefilter("always")
    if hasattr(env, "clock"):
        warnings.showwarning = lambda *_args, **_kwargs: None
        return lambda: env.clock.timeouts
    timeouts: list[None] = []  # rtgym says it in a warning alone

    def show(message: Warning | str, *_args: Any, **_kwargs: Any) -> None:
        if "timed out" in str(message):
            timeouts.append(None)

    warnings.showwarning = show
    return lambda: len(timeouts)
