"""``Record``: every time-step of an environment to MCAP files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, SupportsFloat

import gymnasium
from gymnasium.utils import RecordConstructorArgs

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.record.file_series import Split
from rtgym_ros.record.mcap_file import LABEL_RECORD
from rtgym_ros.record.observer import Observer
from rtgym_ros.record.recorder import Recorder
from rtgym_ros.record.run_facts import run_facts

Topics = Literal["none", "captured", "all"]


class Record(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Records what every ``reset()`` and ``step()`` returned, with time and delays, without holding up the environment.

    Any Gymnasium environment whose spaces are boxes, discrete numbers, and tuples and dictionaries of them. Needs the
    extra ``record``, and no ROS 2. A slow or full disk never raises and never blocks: what is missing is counted in
    ``env.recorder.state`` and told by a warning.

    Args:
        env: the environment; observations and actions are recorded as they pass here.
        folder: where the files go; made where it is missing.
        contract: text of the robot's contract, kept in every file; that of an environment under a contract is there
            without being given.
        topics: messages of the robot's topics that are recorded too, of an environment under a contract: ``"none"``,
            ``"captured"`` (those that observations were made of) or ``"all"`` (every one that arrived; from them the
            observations can be made again, see :mod:`rtgym_ros.ros.contract.rerun`; and the commands that were sent,
            ``/diagnostics`` and ``/parameter_events``).
        split: ``"episode"`` (a file each), or the bytes after which the next file begins.
        queue_bytes: how much may wait for the disk before time-steps are dropped.
        facts: what else is to be found in the files (text by name).

    Raises:
        ConfigError: a space cannot be recorded, or an argument is out of range.

    Example:
        >>> env = Record(gymnasium.make("CartPole-v1"), "recordings")  # doctest: +SKIP
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        folder: str | Path,
        *,
        contract: str = "",
        topics: Topics = "none",
        split: Split = "episode",
        queue_bytes: int = 64 << 20,
        facts: Mapping[str, str] | None = None,
    ) -> None:
        RecordConstructorArgs.__init__(
            self,
            folder=str(folder),
            contract=contract,
            topics=topics,
            split=split,
            queue_bytes=queue_bytes,
            facts=facts,
        )
        super().__init__(env)
        if topics not in ("none", "captured", "all"):
            raise ConfigError(f"topics must be 'none', 'captured' or 'all', got {topics!r}")
        # An interface that has messages to record says so by these two methods.
        interface = getattr(env.unwrapped, "interface", None)
        record_messages = getattr(interface, "record_messages", None)
        if topics != "none" and record_messages is None:
            raise ConfigError(f"topics={topics!r} is for environments under a contract, and {env} is none")
        own_facts: dict[str, str] = getattr(interface, "recording_facts", dict)()
        run = {**own_facts, **(facts or {}), **run_facts(env, contract or own_facts.get("contract", ""))}
        self.recorder = Recorder(folder, run, split=split, queue_bytes=queue_bytes)
        """The recorder, with its counts under ``state``."""
        self._observer = Observer(env.observation_space, env.action_space)
        if topics != "none" and record_messages is not None:
            try:
                record_messages(self.recorder, topics == "all")
            except BaseException:
                self.recorder.close()
                raise

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in the recording and reset the environment."""
        self.recorder.begin_episode(  # messages of the reset belong to it
            {
                "episode": str(self._observer.episode + 1),
                "seed": "" if seed is None else str(seed),
                "options": json.dumps(options, default=repr) if options else "",
            }
        )
        observation, info = self.env.reset(seed=seed, options=options)
        self.recorder.write(self._observer.reset(observation, info))
        return observation, info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step the environment and record what it returned."""
        returned = self.env.step(action)
        self.recorder.write(self._observer.step(action, returned))
        return returned

    def label(self, success: bool | None = None, note: str = "") -> None:
        """Say of the latest episode whether it succeeded, or anything else."""
        outcome = "" if success is None else str(success).lower()
        facts = {"episode": str(self._observer.episode), "success": outcome, "note": note}
        self.recorder.annotate(LABEL_RECORD, facts)

    def close(self) -> None:
        """Close the environment, then the recording."""
        try:
            super().close()
        finally:
            self.recorder.close()
