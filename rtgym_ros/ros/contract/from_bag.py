"""Episodes out of a bag: what an environment under the contract would have observed, and what was sent meanwhile."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rtgym_ros.contract.forms import SpaceForm
from rtgym_ros.contract.freshness.outcome import Outcome
from rtgym_ros.contract.load_code import load_task
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.time_source import NS_PER_S, to_s
from rtgym_ros.envs.observation_layout import ObservationLayout
from rtgym_ros.record.bag import bag_files, bag_types, read_bag_file
from rtgym_ros.record.cdr_writer import encode
from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.file_series import FileSeries
from rtgym_ros.record.messages import StoredMessage
from rtgym_ros.record.parts import to_parts
from rtgym_ros.record.recorded_topic import TIME_STEP
from rtgym_ros.record.run_facts import facts_of
from rtgym_ros.record.time_step import RecordedTimeStep
from rtgym_ros.ros.contract.bag_actions import SentActions
from rtgym_ros.ros.contract.contract_topic import Arrived
from rtgym_ros.ros.contract.recorded_observations import RecordedObservations, RecordedTypes


@dataclass
class Imported:
    """What was made of a bag.

    Attributes:
        episodes: that were begun.
        steps: time-steps, those with which episodes begin too.
        gaps: episodes that end because an observation was missing or too old.
    """

    episodes: int = 0
    steps: int = 0
    gaps: int = 0


def from_bag(
    bag: Path,
    contract: Contract,
    folder: Path,
    *,
    namespace: str = "",
    with_task: bool = True,
    seed: int = 0,
    allow_code_beside: bool = False,
) -> Imported:
    """Write the episodes that a bag of the contract's topics holds as a recording.

    Time-steps of the contract's duration begin when every part of the observation and of the action was seen. As in
    flight, the observation at the begin of a time-step comes with the action of that time-step: the last command in it.
    An episode ends after ``ep_max_length`` time-steps, where the task says so, and where an observation is too old; the
    time of arrival is that at which a message was recorded.

    Args:
        bag: an ``.mcap`` or ``.db3`` file, or a folder of them.
        contract: read before.
        folder: of the recording; a file an episode.
        namespace: where the robot's topics are in the bag.
        with_task: whether the contract's task gives rewards and ends episodes; its targets are drawn anew.
        seed: of the task.
        allow_code_beside: whether code that the contract names may lie beside its file.

    Raises:
        RecordError: the bag cannot be read, lacks a topic, or never has all of them at once.
        ContractError: the contract does not fit the messages.
    """
    files = bag_files(bag)
    importer = _Importer(contract, bag_types(files), folder, namespace, with_task, seed, allow_code_beside)
    for file in files:
        for message in read_bag_file(file):
            importer.take(message)
    return importer.finish(bag)


class _Importer:
    def __init__(
        self,
        contract: Contract,
        types: dict[str, str],
        folder: Path,
        namespace: str,
        with_task: bool,
        seed: int,
        allow_code_beside: bool,
    ) -> None:
        observed = [part.topic for part in contract.observation.values()]
        commanded = [part.topic for part in contract.action.values() if part.topic is not None]
        self._names = {name: _full_name(namespace, name) for name in [*observed, *commanded]}
        missing = sorted({name for name in self._names.values() if name not in types})
        if missing:
            raise RecordError(f"the bag has no topic {', '.join(missing)}; it has {', '.join(sorted(types)) or 'none'}")
        config = RealTimeConfig
        self._duration = float(contract.time.get("time_step_duration", config.time_step_duration))
        self._step_ns = round(self._duration * NS_PER_S)
        self._most = float(contract.time.get("ep_max_length", config.ep_max_length))
        length = int(contract.time.get("act_buf_len", config.act_buf_len))
        in_observation = contract.time.get("act_in_obs", config.act_in_obs)
        self._again = RecordedObservations(contract, self._duration, self._names.__getitem__, types, allow_code_beside)
        self._actions = SentActions(
            contract, RecordedTypes(contract, types), self._names, self._duration, allow_code_beside
        )
        self._task = load_task(contract, allow_beside=allow_code_beside) if with_task else None
        self._rng = np.random.default_rng(seed)
        self._contract = contract
        self._config = {"time_step_duration": self._duration, "act_buf_len": length, "ep_max_length": str(self._most)}
        self._buffer: deque[Any] = deque(maxlen=length)
        self._in_observation = length if in_observation else 0
        self._folder = folder
        self._files: FileSeries | None = None
        self._next_ns: int | None = None
        self._captured: _Captured | None = None
        self._began_ns = self._episode_step = 0
        self._is_over = True
        self._done = Imported()

    def take(self, message: StoredMessage) -> None:
        """Take the next message; the time-steps that end before it are written."""
        while self._next_ns is not None and message.log_time_ns > self._next_ns:
            self._begin_time_step(self._next_ns)
            self._next_ns += self._step_ns
        if message.topic in self._actions.topics:
            self._actions.receive(message.topic, message.data)
        for topic in self._again.topics:
            if topic.topic == message.topic:
                topic.receive([Arrived(message.data, max(message.log_time_ns, topic.arrived_ns))])
        if self._next_ns is None and self._again.is_complete and self._actions.is_complete:
            self._open()
            self._next_ns = message.log_time_ns

    def finish(self, bag: Path) -> Imported:
        """Write what is left and close the files.

        Raises:
            RecordError: there was nothing to write.
        """
        if self._captured is not None:
            self._write(self._captured, self._actions.action())
        if self._files is None or not self._done.steps:
            raise RecordError(f"{bag}: it never has every part of the observation and of the action, and new ones")
        self._files.close()
        return self._done

    def _open(self) -> None:
        parts = {name: part.capture_space for name, part in self._again.observations.parts.items()}
        spaces = self._again.make_spaces()
        if self._task is not None:
            self._task.check(parts)
            spaces |= self._task.extra_spaces()
        self._form = SpaceForm(self._contract.spaces.observation, spaces)
        action_space = self._actions.form.space
        self._layout = ObservationLayout(self._form.space, action_space, self._in_observation)
        facts = facts_of(
            self._layout.space, action_space, "rtgym_ros/Contract-v0", self._config, self._contract.source.text
        )
        self._run = facts["run"]
        facts["bag_topics"] = json.dumps(self._names)
        self._files = FileSeries(self._folder, facts, "episode")

    def _begin_time_step(self, now_ns: int) -> None:
        """End the time-step that runs, whose action is known now, and capture the next observation."""
        action = self._actions.action()
        if self._captured is not None:
            self._write(self._captured, action)
            self._captured = None
        begins = self._is_over
        values, ages, outcome, _ = self._again.capture(now_ns, begins)
        if begins:
            if outcome >= Outcome.TRUNCATE:
                return  # an episode begins when there is something to see again
            self._began_ns, self._episode_step = now_ns, 0
            self._is_over = False
        else:
            self._episode_step += 1
        captured = _Captured(now_ns, values, ages, outcome >= Outcome.TRUNCATE, self._episode_step)
        captured.truncated |= self._episode_step >= self._most
        self._done.gaps += outcome >= Outcome.TRUNCATE
        self._evaluate(captured)
        self._captured = captured
        self._is_over = captured.terminated or captured.truncated

    def _evaluate(self, captured: _Captured) -> None:
        """Add what the task says of an observation."""
        if self._task is None:
            return
        time = to_s(captured.now_ns - self._began_ns)
        if captured.episode_step == 0:
            self._task.reset(self._rng, {})
        else:
            reward, terminated, _ = self._task.evaluate(self._again.observations.newest, self._actions.values, time)
            captured.reward, captured.terminated = float(reward), bool(terminated)
            captured.truncated &= not captured.terminated
        captured.values |= self._task.observe(time)

    def _write(self, captured: _Captured, action: Any) -> None:
        """Write a time-step, whose action is known now."""
        assert self._files is not None
        if captured.episode_step == 0:
            self._files.begin_episode({"run": self._run, "episode": str(self._done.episodes)})
            self._done.episodes += 1
            self._buffer.extend([action] * (self._buffer.maxlen or 0))
        else:
            self._buffer.append(action)
        actions = tuple(self._buffer)[len(self._buffer) - self._in_observation :]
        observation = self._layout.combine(self._form.arrange(captured.values), actions, {})  # a bag has no delays
        sent = to_parts(self._actions.form.space, action)
        step = RecordedTimeStep(
            stamp_ns=captured.now_ns,
            index=self._done.steps,
            episode=self._done.episodes - 1,
            episode_step=captured.episode_step,
            observation=to_parts(self._layout.space, observation),
            action=sent if captured.episode_step else (),
            executed_action=sent,
            reward=captured.reward,
            terminated=captured.terminated,
            truncated=captured.truncated,
            start_ns=captured.now_ns,
            ages=captured.ages,
        )
        self._files.write(TIME_STEP, captured.now_ns, captured.now_ns, self._done.steps, encode(step))
        self._done.steps += 1


@dataclass
class _Captured:
    """An observation whose time-step runs.

    Attributes:
        now_ns: when it was captured (ns).
        values: of the parts, and what the task adds.
        ages: of the parts (s).
        truncated: whether the episode is cut off here.
        episode_step: number of the time-step.
        reward: of the task.
        terminated: by the task.
    """

    now_ns: int
    values: dict[str, Any]
    ages: dict[str, float]
    truncated: bool
    episode_step: int
    reward: float = 0.0
    terminated: bool = False


def _full_name(namespace: str, name: str) -> str:
    return name if name.startswith("/") else f"/{namespace.strip('/')}/{name}".replace("//", "/")
