"""The trainer: takes samples, trains, publishes weights, writes checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.links.server_client import ServerClient
from rtgym_ros.train.protocol.schema import SampleSchema
from rtgym_ros.train.trainer.agent import Agent, make_agent
from rtgym_ros.train.trainer.checkpoint import Checkpoints, Progress, check_same
from rtgym_ros.train.trainer.exchange import Exchange
from rtgym_ros.train.trainer.log import TrainerLog
from rtgym_ros.train.trainer.training import Training

_WAIT_S = 0.5  # for a first worker, until signals and heartbeat are seen to again


class Trainer:
    """Goes on from the newest checkpoint, or begins.

    Args:
        config: of the run.
        client: way to the server.
        name: of this trainer, the same after it was killed: the server knows one.
        should_stop: asked often; True ends training, with a checkpoint.
        beat: called as long as training gets on.
        make: makes the agent, once the schema is known.
        now_s: a monotonic clock (s).
    """

    def __init__(
        self,
        config: TrainConfig,
        client: ServerClient,
        name: str = "trainer",
        should_stop: Callable[[], bool] = lambda: False,
        beat: Callable[[], None] = lambda: None,
        make: Callable[[SampleSchema], Agent] | None = None,
        now_s: Callable[[], float] = monotonic,
    ) -> None:
        self._config = config
        self._client = client
        self._name = name
        self._should_stop = should_stop
        self._beat = beat
        self._make = make or (lambda schema: make_agent(schema, config.trainer))
        self._now_s = now_s
        self._folder = config.folder / "trainer"
        self._checkpoints = Checkpoints(self._folder / "checkpoints")

    def run(self) -> None:
        """Train until the end that the configuration sets, or until ``should_stop``.

        Raises:
            ConfigError: the agent cannot be made.
            CheckpointError: the newest checkpoint is of another configuration.
            RefusedError: the server refuses for good.
        """
        found = self._checkpoints.newest()
        if found is not None:
            check_same(found[1], self._config)
        info = found[1] if found else None
        progress = info.progress if info else Progress()
        exchange = Exchange(
            self._client, self._name, progress.position, progress.version, info.schema if info else None, self._now_s
        )
        with exchange, TrainerLog(self._folder, self._config, info.logs if info else {}) as log:
            schema = self._wait_for_schema(exchange)
            if schema is None:
                return
            agent = self._make(schema)
            training = Training(self._config, schema, agent, exchange, log, self._checkpoints, found, self._now_s)
            while not self._should_stop() and training.turn():
                self._beat()
            training.end()

    def _wait_for_schema(self, exchange: Exchange) -> SampleSchema | None:
        while not self._should_stop():
            self._beat()
            schema = exchange.wait_for_schema(_WAIT_S)
            if schema is not None:
                return schema
        return None
