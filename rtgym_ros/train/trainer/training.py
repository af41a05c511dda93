"""The loop of the trainer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
from safetensors.numpy import load_file, save_file

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.protocol.schema import SampleSchema
from rtgym_ros.train.trainer.agent import Agent
from rtgym_ros.train.trainer.checkpoint import Checkpoints, Info, Progress, settings_of
from rtgym_ros.train.trainer.exchange import Exchange
from rtgym_ros.train.trainer.log import TrainerLog
from rtgym_ros.train.trainer.ratio import updates_due
from rtgym_ros.train.trainer.statistics import RoundStatistics
from rtgym_ros.train.trainer.transitions import TransitionAssembler

_WAIT_S = 0.5  # for samples, until signals and heartbeat are seen to again
_FLUSH_S = 10.0
_CHECKPOINT_SHARE = 20  # a big memory takes its time to write: not more than about 1/20 of all of it


class Training:
    """One process' part of the training of a run: the loop, a turn at a time.

    Args:
        config: of the run.
        schema: of the samples.
        agent: that learns, new.
        exchange: with the server, entered.
        log: for the figures.
        checkpoints: of the run.
        found: the newest checkpoint, which training goes on from; None to begin.
        now_s: a monotonic clock (s).
    """

    def __init__(
        self,
        config: TrainConfig,
        schema: SampleSchema,
        agent: Agent,
        exchange: Exchange,
        log: TrainerLog,
        checkpoints: Checkpoints,
        found: tuple[Path, Info] | None,
        now_s: Callable[[], float],
    ) -> None:
        self._config = config
        self._trainer = config.trainer
        self._schema = schema
        self._agent = agent
        self._exchange = exchange
        self._log = log
        self._checkpoints = checkpoints
        self._assembler = TransitionAssembler(schema.dtype)
        self._progress = Progress()
        self._saved: Progress | None = None
        self._now_s = now_s
        self._policy_path = config.folder / "policy.safetensors"
        self._last_update = self._trainer.epochs * self._trainer.rounds * self._trainer.steps
        if found is not None:
            self._resume(*found)
        self._clock_s = self._checkpoint_s = now_s()
        self._pause_s = self._trainer.checkpoint_interval
        self._statistics = RoundStatistics(self._progress, self._clock_s)

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
        if self._now_s() - self._checkpoint_s >= self._pause_s:
            self._write_checkpoint()
        return True

    def end(self) -> None:
        """Write the last checkpoint, and let the workers have the last weights."""
        if self._progress.updates:
            self._exchange.publish(self._agent.export())
        self._write_checkpoint()
        self._exchange.flush(_FLUSH_S)

    def _resume(self, folder: Path, info: Info) -> None:
        self._agent.load(folder / "agent")
        self._assembler.load_state(info.boots, load_file(folder / "assembler.safetensors")["records"])
        self._progress = self._saved = info.progress
        if info.progress.updates:
            self._exchange.publish(self._agent.export())  # for those who come late, and a server that lost them

    def _updates_due(self) -> int:
        done, trainer = self._progress.updates, self._trainer
        due = updates_due(
            done,
            self._progress.transitions,
            self._agent.memory_length,
            trainer.start_training,
            trainer.max_updates_per_sample,
        )
        to_publish, to_round_end = (every - done % every for every in (trainer.publish_interval, trainer.steps))
        return min(due, trainer.retrieve_interval, to_publish, to_round_end, max(self._last_update - done, 0))

    def _enough_samples(self) -> bool:
        return self._trainer.max_samples is not None and self._progress.samples >= self._trainer.max_samples

    def _take_in(self, timeout_s: float) -> None:
        arrived = self._exchange.collect(timeout_s)
        if arrived is None:
            return
        for worker, boot, records in arrived.batches:
            transitions, episodes = self._assembler.add(worker, boot, records)
            if len(transitions):
                self._agent.add(transitions)
            self._note(samples=len(records), transitions=len(transitions))
            for episode in episodes:
                self._statistics.ended(episode)
                self._log.episode(episode, self._progress)
        self._progress = msgspec.structs.replace(self._progress, position=arrived.position)

    def _train(self, updates: int) -> None:
        begin_s = self._now_s()
        figures = self._agent.train(updates)
        self._statistics.trained(figures, updates, self._now_s() - begin_s)
        self._note(updates=updates)
        if self._progress.updates % self._trainer.publish_interval == 0:
            self._exchange.publish(self._agent.export())
        if self._progress.updates % self._trainer.steps == 0:
            self._end_round()

    def _end_round(self) -> None:
        self._tick()
        epoch, number = divmod((self._progress.updates - 1) // self._trainer.steps, self._trainer.rounds)
        figures = self._statistics.summary(self._progress, self._agent.memory_length, self._clock_s)
        self._log.round(epoch, number, figures)
        self._statistics = RoundStatistics(self._progress, self._clock_s)

    def _note(self, samples: int = 0, transitions: int = 0, updates: int = 0) -> None:
        now = self._progress
        self._progress = msgspec.structs.replace(
            now,
            samples=now.samples + samples,
            transitions=now.transitions + transitions,
            updates=now.updates + updates,
        )

    def _tick(self) -> None:
        """Bring time and version up to date."""
        now_s = self._now_s()
        seconds = self._progress.seconds + now_s - self._clock_s
        self._progress = msgspec.structs.replace(self._progress, seconds=seconds, version=self._exchange.version)
        self._clock_s = now_s

    def _write_checkpoint(self) -> None:
        begin_s = self._now_s()
        self._tick()
        saved, now = self._saved, self._progress
        if saved is None or (saved.position, saved.updates) != (now.position, now.updates):
            boots, records = self._assembler.state()
            info = Info(
                settings=settings_of(self._config),
                schema=self._schema,
                progress=now,
                boots=boots,
                logs=self._log.lengths(),
            )
            self._exchange.release(self._checkpoints.write(info, lambda folder: self._write_files(folder, records)))
            self._saved = now
        self._checkpoint_s = self._now_s()
        self._pause_s = max(self._trainer.checkpoint_interval, _CHECKPOINT_SHARE * (self._checkpoint_s - begin_s))

    def _write_files(self, folder: Path, records: np.ndarray) -> None:
        (folder / "agent").mkdir()
        self._agent.save(folder / "agent")
        save_file({"records": np.ascontiguousarray(records)}, folder / "assembler.safetensors")
        policy = self._agent.export()
        replace(policy, version=self._progress.version).save(self._policy_path)
