"""The loop of the trainer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import floor
from pathlib import Path
from time import monotonic

from msgspec import to_builtins

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.protocol.schema import SampleSchema
from rtgym_ros.train.stream.learner_link import LearnerLink
from rtgym_ros.train.stream.sample_message import Bookmark, SampleBatch
from rtgym_ros.train.trainer.agent import Agent
from rtgym_ros.train.trainer.checkpoint import Checkpoints, Info, Progress, settings_of
from rtgym_ros.train.trainer.demonstrations import read_demonstrations
from rtgym_ros.train.trainer.log import TrainerLog
from rtgym_ros.train.trainer.statistics import Statistics
from rtgym_ros.train.trainer.transitions import Episode, TransitionAssembler, finite

_WAIT_S = 0.5  # for samples, until signals and heartbeat are seen to again
_FLUSH_S = 10.0
_CHECKPOINT_SHARE = 20  # a checkpoint takes its time to write: not more than about 1/20 of all of it
_TELL_S = 1.0  # from one word to who watches to the next
_BOOTS = 1000  # of which a checkpoint knows how far they were taken in

_log = logging.getLogger(__name__)


def updates_due(
    updates: int, transitions: int, memory_length: int, start_training: int, max_updates_per_sample: float
) -> int:
    """Return how many updates may be done now, after so many; 0 means to wait for samples.

    ``transitions`` is how many were ever put into the replay memory, ``memory_length`` how many are in there. The cap
    is one of the whole run, and taken as the decimal number that it is written as, so that 0.1 of 30 is 3.
    """
    if memory_length == 0 or (updates == 0 and memory_length < start_training):
        return 0
    return max(0, floor(Fraction(str(max_updates_per_sample)) * transitions) - updates)


class Training:
    """One process' part of the training of a run, with a new agent: the loop, a turn at a time."""

    def __init__(
        self,
        config: TrainConfig,
        schema: SampleSchema,
        agent: Agent,
        link: LearnerLink,
        log: TrainerLog,
        checkpoints: Checkpoints,
    ) -> None:
        self._config, self._trainer, self._schema = config, config.trainer, schema
        self._agent, self._link, self._log, self._checkpoints = agent, link, log, checkpoints
        self._assembler = TransitionAssembler()
        self._progress = Progress()
        self._bookmark = Bookmark()
        self._next_seq: dict[tuple[str, str], int] = {}
        self._saved: tuple[Bookmark, int] | None = None
        self._last_update = self._trainer.epochs * self._trainer.rounds * self._trainer.steps
        self._clock_s = self._checkpoint_s = self._told_s = monotonic()
        self._pause_s = self._trainer.checkpoint_interval
        self._statistics = Statistics(self._progress, self._clock_s)

    def load(self, folder: Path, info: Info) -> None:
        """Go on from a checkpoint; its replay memory comes through :meth:`refill`."""
        self._agent.load(folder / "agent")
        self._progress, self._bookmark, self._next_seq = info.progress, info.bookmark, info.known()
        self._saved = info.bookmark, info.progress.updates
        self._statistics = Statistics(self._progress, self._clock_s)
        if info.progress.updates:
            self._link.publish(self._agent.export())  # for those who come late, and a server that lost them

    def demonstrate(self) -> None:
        """Put the recordings that the configuration names into the replay memory, before anything else.

        Raises:
            ConfigError: they cannot be used.
        """
        found = 0
        for transitions in read_demonstrations(self._config, self._schema):
            self._agent.add(transitions)
            found += len(transitions)
        if found:
            _log.info("%d transitions come from recordings", found)
        if found and not self._progress.transitions:  # when training goes on they have been counted
            self._progress.transitions = found

    def refill(self, batches: Sequence[SampleBatch]) -> bool:
        """Put samples into the replay memory again; return False behind those that the checkpoint had taken in."""
        for batch in batches:
            if batch.bookmark.position > self._bookmark.position:
                return False
            if batch.header.next_seq <= self._next_seq.get((batch.robot, batch.boot), 0):
                self._remember(batch)
        return True

    def turn(self) -> bool:
        """Do a little of everything that is due; return False at the end of training."""
        due, enough = self._updates_due(), self._enough_samples()
        if self._progress.updates >= self._last_update or (due == 0 and enough):
            if self._progress.updates % self._trainer.steps:
                self._end_round()
            return False
        if not enough:
            self._take_in(0.0 if due else _WAIT_S)
        if due:
            self._train(due)
        now_s = monotonic()
        if now_s - self._told_s >= _TELL_S:
            self._told_s = now_s
            self._tell()
        if now_s - self._checkpoint_s >= self._pause_s:
            self._write_checkpoint()
        return True

    def end(self) -> None:
        """Write the last checkpoint, and let the workers have the last weights."""
        if self._progress.updates:
            self._link.publish(self._agent.export())
        self._write_checkpoint()
        self._tell()
        self._link.flush(_FLUSH_S)

    def _updates_due(self) -> int:
        done, trainer = self._progress.updates, self._trainer
        memory, ratio = self._agent.memory_length, trainer.max_updates_per_sample
        due = updates_due(done, self._progress.transitions, memory, trainer.start_training, ratio)
        to_publish, to_round_end = (every - done % every for every in (trainer.publish_interval, trainer.steps))
        return min(due, trainer.retrieve_interval, to_publish, to_round_end, max(self._last_update - done, 0))

    def _enough_samples(self) -> bool:
        return self._trainer.max_samples is not None and self._progress.samples >= self._trainer.max_samples

    def _take_in(self, timeout_s: float) -> None:
        for batch in self._link.collect(timeout_s):
            refused, transitions, episodes = self._remember(batch)
            self._progress.samples += len(batch.records)
            self._progress.transitions += transitions
            self._progress.refused += refused
            self._next_seq[batch.robot, batch.boot] = batch.header.next_seq
            self._bookmark = batch.bookmark
            for episode in episodes:
                self._statistics.ended(episode)
                self._log.episode(episode, self._progress)

    def _remember(self, batch: SampleBatch) -> tuple[int, int, list[Episode]]:
        """Put samples into the replay memory; return how many were refused and the transitions, and episodes' ends."""
        records = finite(batch.records, self._schema.float_fields)
        if refused := len(batch.records) - len(records):
            _log.warning("%d samples of %s are not finite and left out", refused, batch.robot)
        transitions, episodes = self._assembler.add(batch.robot, batch.boot, records)
        if len(transitions):
            self._agent.add(transitions)
        return refused, len(transitions), episodes

    def _train(self, updates: int) -> None:
        begin_s = monotonic()
        figures = self._agent.train(updates)
        self._statistics.trained(figures, updates, monotonic() - begin_s)
        self._progress.updates += updates
        if self._progress.updates % self._trainer.publish_interval == 0:
            self._link.publish(self._agent.export())
        if self._progress.updates % self._trainer.steps == 0:
            self._end_round()

    def _end_round(self) -> None:
        self._tick()
        epoch, number = divmod((self._progress.updates - 1) // self._trainer.steps, self._trainer.rounds)
        figures = self._statistics.end_round(self._progress, self._agent.memory_length, self._clock_s)
        self._log.round(epoch, number, figures)

    def _tick(self) -> None:
        """Bring time and version up to date."""
        now_s = monotonic()
        self._progress.seconds += now_s - self._clock_s
        self._progress.version = self._link.version
        self._clock_s = now_s

    def _tell(self) -> None:
        """Publish how it is going, for who watches."""
        self._tick()
        goal = {"updates": self._last_update, "samples": self._trainer.max_samples}
        figures = {**to_builtins(self._progress), "memory": self._agent.memory_length, "goal": goal}
        self._link.publish_progress({**figures, **self._link.counts, "robots": self._statistics.of_robots()})

    def _write_checkpoint(self) -> None:
        begin_s = monotonic()
        self._tick()
        state = self._bookmark, self._progress.updates
        if self._saved != state:
            info = Info(
                settings=settings_of(self._config),
                schema=self._schema.to_bytes(),
                progress=self._progress,
                bookmark=self._bookmark,
                next_seq=[(robot, boot, seq) for (robot, boot), seq in list(self._next_seq.items())[-_BOOTS:]],
                logs=self._log.lengths(),
            )
            try:
                self._checkpoints.write(info, self._write_files)
                self._saved = state
            except OSError as error:
                _log.warning("no checkpoint could be written, training goes on: %s", error)
        self._checkpoint_s = monotonic()
        self._pause_s = max(self._trainer.checkpoint_interval, _CHECKPOINT_SHARE * (self._checkpoint_s - begin_s))

    def _write_files(self, folder: Path) -> None:
        (folder / "agent").mkdir()
        self._agent.save(folder / "agent")
        policy = self._agent.export()
        replace(policy, version=self._progress.version).save(self._config.folder / "policy.safetensors")
