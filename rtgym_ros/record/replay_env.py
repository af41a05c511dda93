"""A recording as an environment: ``rtgym_ros/Replay-v0``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import gymnasium
import numpy as np

from rtgym_ros.core.caller_warning import warn_caller
from rtgym_ros.core.errors import ConfigError, StateError
from rtgym_ros.core.time_source import MonotonicTimeSource, TimeSource
from rtgym_ros.record.errors import RecordError, ReplayError, ReplayWarning
from rtgym_ros.record.parts import from_parts, to_parts
from rtgym_ros.record.reading import Episode, read_episodes
from rtgym_ros.record.time_step import Parts, RecordedTimeStep

OnMismatch = Literal["warn", "fail", "ignore"]


class ReplayEnv(gymnasium.Env[Any, Any]):
    """Gives the recorded observations, rewards and flags, bit for bit, one recorded episode after the other.

    The recording does not react: an action other than the recorded one changes nothing. ``info["action_mismatch"]`` is
    the largest difference to the recorded action (0 where they are the same bits), ``info["recorded_action"]`` that
    action; the recorded numbers of the flight's ``info`` come with them. ``reset(options={"episode": n})`` goes to an
    episode, counted from 0 in the recording.

    Args:
        recording: a file, a folder or several of them, of environments with the same spaces.
        on_mismatch: ``"warn"`` (once an episode), ``"fail"`` (ReplayError, the time-step is not taken) or ``"ignore"``.
        speed: None for at once; 1 for the times at which the observations were captured, 2 for twice as fast.
        time_source: the clock that `speed` goes by, instead of the system's.

    Raises:
        ConfigError: an argument is out of range.
        RecordError: the recording cannot be read, or has other spaces from some episode on.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 (Gymnasium's)

    def __init__(
        self,
        recording: str | Path | Iterable[str | Path],
        on_mismatch: OnMismatch = "warn",
        speed: float | None = None,
        time_source: TimeSource | None = None,
    ) -> None:
        if on_mismatch not in ("warn", "fail", "ignore"):
            raise ConfigError(f"on_mismatch must be 'warn', 'fail' or 'ignore', got {on_mismatch!r}")
        if speed is not None and not 0 < speed < float("inf"):
            raise ConfigError(f"speed must be None or a number above 0, got {speed!r}")
        self._recording = recording
        self._on_mismatch = on_mismatch
        self._speed = speed
        self._time = time_source or MonotonicTimeSource()
        self._episodes = read_episodes(recording)
        self._waiting: Episode | None = next(self._episodes, None)
        if self._waiting is None:
            raise RecordError(f"{recording}: no time-steps are in it")
        self._number = -1
        self._run = self._waiting.run
        self.observation_space = self._run.observation_space
        self.action_space = self._run.action_space
        self._steps: list[RecordedTimeStep] = []
        self._at = 0
        self._over = True
        self._warned = False
        self._began_ns = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin the next recorded episode, or that of ``options["episode"]``.

        Raises:
            ReplayError: there is none.
        """
        super().reset(seed=seed)
        wanted = (options or {}).get("episode", self._number + 1)
        if not isinstance(wanted, int) or wanted < 0:
            raise ConfigError(f"options['episode'] must be a number of an episode, 0 or more, got {wanted!r}")
        episode = self._find(wanted)
        self._steps, self._at, self._over, self._warned = episode.steps, 0, False, False
        self._began_ns = self._time.now_ns()
        first = self._steps[0]
        return self._observation(first), self._info(first)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Return what the recorded time-step brought.

        Raises:
            StateError: no episode is under way.
            ReplayError: the action is not the recorded one, with ``on_mismatch="fail"``; or the recording breaks off.
        """
        if self._over:
            raise StateError("step(): no episode is under way, call reset() first")
        if self._at + 1 >= len(self._steps):
            raise ReplayError(f"episode {self._number} breaks off here, after {self._at} time-steps: call reset()")
        step = self._steps[self._at + 1]
        mismatch = _difference(to_parts(self.action_space, action), step.action)
        if mismatch != 0:
            self._report(mismatch)
        self._at += 1
        self._keep_pace(step)
        self._over = step.terminated or step.truncated
        info = self._info(step) | {"action_mismatch": mismatch}
        info["recorded_action"] = from_parts(self.action_space, step.action)
        return self._observation(step), step.reward, step.terminated, step.truncated, info

    # --- inside ---

    def _find(self, number: int) -> Episode:
        if number <= self._number:
            self._episodes, self._waiting, self._number = read_episodes(self._recording), None, -1
        while True:
            episode = self._waiting or next(self._episodes, None)
            self._waiting = None
            if episode is None:
                raise ReplayError(f"the recording has no episode {number}: {self._number + 1} are in it")
            self._number += 1
            if self._number == number:
                self._refuse_if_partial(episode)
                return episode

    def _refuse_if_partial(self, episode: Episode) -> None:
        if episode.missing:
            raise ReplayError(f"episode {self._number} cannot be replayed: {episode.missing} time-steps are missing")
        for name in "observation_space", "action_space":
            if episode.run.facts[name] != self._run.facts[name]:
                raise ReplayError(f"episode {self._number} is of an environment with another {name}")

    def _report(self, mismatch: float) -> None:
        where = f"time-step {self._at + 1} of episode {self._number}"
        message = f"{where}: the action differs from the recorded one by {mismatch:g}"
        if self._on_mismatch == "fail":
            raise ReplayError(message)
        if self._on_mismatch == "warn" and not self._warned:
            self._warned = True
            warn_caller(f"{message}; the recording does not react to it", ReplayWarning)

    def _keep_pace(self, step: RecordedTimeStep) -> None:
        if self._speed is not None:
            flown_ns = step.stamp_ns - self._steps[0].stamp_ns
            self._time.sleep_until_ns(self._began_ns + round(flown_ns / self._speed))

    def _observation(self, step: RecordedTimeStep) -> Any:
        return from_parts(self.observation_space, step.observation)

    def _info(self, step: RecordedTimeStep) -> dict[str, Any]:
        info: dict[str, Any] = {**step.info, **step.delays}
        if step.ages:
            info["ages"] = dict(step.ages)
        if step.executed_action:
            info["executed_action"] = from_parts(self.action_space, step.executed_action)
        return info


def _difference(given: Parts, recorded: Parts) -> float:
    """Return the largest difference of two actions: 0 where they are equal, inf where they cannot be compared."""
    largest = 0.0
    for (_, one), (_, other) in zip(given, recorded, strict=True):
        if one.shape != other.shape:
            return float("inf")
        if not np.array_equal(one, other, equal_nan=one.dtype.kind == "f" and other.dtype.kind == "f"):
            difference = np.abs(one.astype(np.float64) - other.astype(np.float64))
            largest = max(largest, float(np.nan_to_num(difference, nan=np.inf).max()))
    return largest
