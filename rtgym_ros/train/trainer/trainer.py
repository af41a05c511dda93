"""The trainer: takes samples, trains, publishes weights, writes checkpoints."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from time import monotonic

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.protocol.schema import SampleSchema, schema_from_bytes
from rtgym_ros.train.stream.learner_link import LearnerLink
from rtgym_ros.train.stream.sample_reader import Bookmark
from rtgym_ros.train.trainer.agent import Agent, make_agent
from rtgym_ros.train.trainer.checkpoint import Checkpoints, Info, check_same
from rtgym_ros.train.trainer.log import TrainerLog
from rtgym_ros.train.trainer.training import Training

_WAIT_S = 0.5  # for a first worker, until signals and heartbeat are seen to again
_log = logging.getLogger(__name__)


class Trainer:
    """Goes on from the newest checkpoint, or begins at the oldest sample of the stream. Usable in a notebook, too.

    Args:
        config: of the run.
        should_stop: asked often; True ends training, with a checkpoint.
        beat: called as long as training gets on.
        make: makes the agent, once the schema is known.
        now_s: a monotonic clock (s).
    """

    def __init__(
        self,
        config: TrainConfig,
        should_stop: Callable[[], bool] = lambda: False,
        beat: Callable[[], None] = lambda: None,
        make: Callable[[SampleSchema], Agent] | None = None,
        now_s: Callable[[], float] = monotonic,
    ) -> None:
        self._config = config
        self._should_stop = should_stop
        self._beat = beat
        self._make = make or (lambda schema: make_agent(schema, config.trainer))
        self._now_s = now_s
        self._folder = config.folder / "trainer"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._checkpoints = Checkpoints(self._folder / "checkpoints")

    def reset_training(self) -> None:
        """Forget what was learned: the next :meth:`run` learns anew, from all samples that the stream has."""
        self._checkpoints.discard()

    def run(self) -> None:
        """Train until the end that the configuration sets, or until ``should_stop``.

        Raises:
            ConfigError: the agent cannot be made.
            CheckpointError: the newest checkpoint is of another configuration.
            CredentialsError: credentials are missing or not fit for use.
        """
        found = self._checkpoints.newest()
        info = found[1] if found else None
        if info is not None:
            for line in check_same(info, self._config):
                _log.info("%s", line)
        known = {(robot, boot): seq for robot, boot, seq in info.next_seq} if info else {}
        schema = schema_from_bytes(info.schema) if info else None
        version = info.progress.version if info else -1
        bookmark = info.bookmark if info else None
        link = LearnerLink(self._config, bookmark, version, schema, known, self._now_s)
        with closing(link), TrainerLog(self._folder, self._config, info.logs if info else {}) as log:
            schema = schema or self._wait_for_schema(link)
            if schema is None:
                return
            agent = self._make(schema)
            training = Training(self._config, schema, agent, link, log, self._checkpoints, self._now_s)
            if found is not None:
                training.load(*found)
            training.demonstrate()
            if found is not None and not self._refill(training, found[1]):
                return
            while not self._should_stop() and training.turn():
                self._beat()
            training.end()

    def _wait_for_schema(self, link: LearnerLink) -> SampleSchema | None:
        while not self._should_stop():
            self._beat()
            schema = link.wait_for_schema(_WAIT_S)
            if schema is not None:
                return schema
        return None

    def _refill(self, training: Training, info: Info) -> bool:
        """Fill the replay memory from the stream; return False if it is time to stop."""
        begin = Bookmark(position=max(info.memory_begin - 1, 0))
        schema = schema_from_bytes(info.schema)
        with closing(LearnerLink(self._config, begin, schema=schema, now_s=self._now_s)) as past:
            while not past.has_caught_up and not self._should_stop():
                self._beat()
                if not training.refill(past.collect(_WAIT_S)):
                    break
        return not self._should_stop()
