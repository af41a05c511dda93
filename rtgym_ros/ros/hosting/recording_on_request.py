"""A recording that is started and stopped while an environment is in use."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from rtgym_ros.core.errors import StateError
from rtgym_ros.envs.real_time_env import RealTimeEnv
from rtgym_ros.record.run_facts import run_facts
from rtgym_ros.record.time_step import RecordedTimeStep

if TYPE_CHECKING:
    from rtgym_ros.record.recorder import Recorder, RecorderState

_LABEL = "label"


class RecordingOnRequest:
    """Records the time-steps of one environment to MCAP files, from when somebody asks for it.

    Any thread may call; who steps the environment (:meth:`begin_episode`, :meth:`write`) never waits for who starts and
    stops: making a recorder and closing it take long (a process starts, the disk is waited for), and are done outside
    of the lock.

    Args:
        env: whose time-steps they are.
        switch: called with True before the first time-step that may be recorded, with False after the last.
    """

    def __init__(self, env: RealTimeEnv, switch: Callable[[bool], None] = lambda is_on: None) -> None:
        self._env = env
        self._switch = switch
        self._lock = Lock()
        self._recorder: Recorder | None = None
        self._episode: dict[str, str] = {}
        self._last: RecorderState | None = None

    @property
    def state(self) -> RecorderState | None:
        """Of the running recording, or the last; None before the first."""
        recorder = self._recorder
        return self._last if recorder is None else recorder.state

    def start(self, folder: str | Path) -> None:
        """Record from the next time-step on.

        Raises:
            StateError: a recording is under way.
            ConfigError: a space cannot be recorded.
            ImportError: the extra ``record`` is not installed.
            OSError: the folder cannot be made.
        """
        from rtgym_ros.record.recorder import Recorder  # needs the extra `record`

        self._refuse_second(folder)
        facts: dict[str, str] = getattr(self._env.interface, "recording_facts", dict)()
        recorder = Recorder(folder, {**facts, **run_facts(self._env, facts.get("contract", ""))})
        try:
            with self._lock:
                self._refuse_second(folder)
                if self._episode:
                    recorder.begin_episode(self._episode)
                self._recorder = recorder
                self._switch(True)
        except BaseException:
            recorder.close()
            raise

    def stop(self) -> None:
        """Record nothing more, and have the files written and closed; does nothing where nothing is recorded."""
        with self._lock:
            recorder, self._recorder = self._recorder, None
            self._switch(False)
        if recorder is not None:
            self._last = recorder.state
            recorder.close()
            self._last = recorder.state

    def label(self, success: bool | None, note: str) -> None:
        """Say of the latest episode whether it succeeded, or anything else.

        Raises:
            StateError: nothing is recorded.
        """
        outcome = "" if success is None else str(success).lower()
        with self._lock:
            if self._recorder is None or not self._episode:
                raise StateError("no episode is recorded: start a recording and reset first")
            self._recorder.annotate(_LABEL, {"episode": self._episode["episode"], "success": outcome, "note": note})

    def begin_episode(self, number: int, seed: int | None, options: dict[str, Any] | None) -> None:
        """Note the episode that begins; it is recorded from here."""
        episode = {
            "episode": str(number),
            "seed": "" if seed is None else str(seed),
            "options": json.dumps(options, default=repr) if options else "",
        }
        with self._lock:
            self._episode = episode
            if self._recorder is not None:
                self._recorder.begin_episode(episode)

    def write(self, step: RecordedTimeStep) -> None:
        """Record a time-step, if anything is recorded."""
        with self._lock:
            if self._recorder is not None:
                self._recorder.write(step)

    def _refuse_second(self, folder: str | Path) -> None:
        running = self._recorder
        if running is not None:
            raise StateError(f"a recording is under way in {running.state.file or folder}: stop it first")
