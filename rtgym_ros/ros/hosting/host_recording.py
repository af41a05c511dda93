"""A recording that is started and stopped while an environment is in use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtgym_ros.core.errors import StateError
from rtgym_ros.envs.real_time_env import RealTimeEnv
from rtgym_ros.record.run_facts import run_facts
from rtgym_ros.record.time_step import RecordedTimeStep

if TYPE_CHECKING:
    from rtgym_ros.record.recorder import Recorder, RecorderState

_LABEL = "label"


class HostRecording:
    """Records the time-steps of one environment to MCAP files, by choice.

    Making a recorder and closing it take long (a process starts, the disk is waited for): :meth:`make` and
    :meth:`finish` are for other threads than the one that steps the environment, which calls the rest.

    Args:
        env: whose time-steps they are.
    """

    def __init__(self, env: RealTimeEnv) -> None:
        self._env = env
        self._recorder: Recorder | None = None
        self._episode: dict[str, str] = {}
        self._last: RecorderState | None = None

    @property
    def state(self) -> RecorderState | None:
        """Of the running recording, or the last; None before the first. Any thread may read it."""
        recorder = self._recorder
        return self._last if recorder is None else recorder.state

    def make(self, folder: str | Path) -> Recorder:
        """Return a recorder for :meth:`start`; from any thread but the host's.

        Raises:
            StateError: a recording is under way.
            ConfigError: a space cannot be recorded.
            ImportError: the extra ``record`` is not installed.
            OSError: the folder cannot be made.
        """
        from rtgym_ros.record.recorder import Recorder  # needs the extra `record`

        self._refuse_second(folder)
        facts: dict[str, str] = getattr(self._env.interface, "recording_facts", dict)()
        return Recorder(folder, {**facts, **run_facts(self._env, facts.get("contract", ""))})

    def start(self, recorder: Recorder) -> None:
        """Record from now on.

        Raises:
            StateError: that is done already; the recorder is still the caller's.
        """
        self._refuse_second("its folder")
        self._recorder = recorder
        if self._episode:
            recorder.begin_episode(self._episode)

    def stop(self) -> Recorder | None:
        """Record nothing more; return the recorder for :meth:`finish`, None where nothing was recorded."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            self._last = recorder.state
        return recorder

    def finish(self, recorder: Recorder | None) -> None:
        """Have the files written and closed; from any thread but the host's."""
        if recorder is not None:
            recorder.close()
            self._last = recorder.state

    def _refuse_second(self, folder: str | Path) -> None:
        running = self._recorder
        if running is not None:
            raise StateError(f"a recording is under way in {running.state.file or folder}: stop it first")

    def label(self, success: bool | None, note: str) -> None:
        """Say of the latest episode whether it succeeded, or anything else.

        Raises:
            StateError: nothing is recorded.
        """
        if self._recorder is None or not self._episode:
            raise StateError("no episode is recorded: start a recording and reset first")
        outcome = "" if success is None else str(success).lower()
        self._recorder.annotate(_LABEL, {"episode": self._episode["episode"], "success": outcome, "note": note})

    def begin_episode(self, number: int, seed: int | None, options: dict[str, Any] | None) -> None:
        """Note the episode that begins; it is recorded from here."""
        self._episode = {
            "episode": str(number),
            "seed": "" if seed is None else str(seed),
            "options": json.dumps(options, default=repr) if options else "",
        }
        if self._recorder is not None:
            self._recorder.begin_episode(self._episode)

    def write(self, step: RecordedTimeStep) -> None:
        """Record a time-step, if anything is recorded."""
        if self._recorder is not None:
            self._recorder.write(step)
