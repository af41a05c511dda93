"""The trainer: takes samples, trains, publishes weights, writes checkpoints.

``python -m rtgym_ros.train.trainer.trainer`` is its process, which ``train_trainer`` starts again when it dies.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import closing

from rtgym_ros.core.errors import RtgymError
from rtgym_ros.core.files import locked
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.config_file import config_parser, load_config
from rtgym_ros.train.protocol.schema import SampleSchema, schema_from_bytes
from rtgym_ros.train.stream.learner_link import LearnerLink
from rtgym_ros.train.supervision.heartbeat import beat
from rtgym_ros.train.supervision.supervisor import REFUSED
from rtgym_ros.train.trainer.agent import Agent, make_agent
from rtgym_ros.train.trainer.checkpoint import Checkpoints, Info, check_same
from rtgym_ros.train.trainer.log import TrainerLog
from rtgym_ros.train.trainer.main import HEARTBEAT_FILE
from rtgym_ros.train.trainer.training import Training

_WAIT_S = 0.5  # for a first worker, until signals and heartbeat are seen to again
_PATIENCE_S = 55.0  # for the last checkpoint; a little less than the supervisor's
_log = logging.getLogger(__name__)


class Trainer:
    """Goes on from the newest checkpoint, or begins at the oldest sample of the stream. Usable in a notebook, too.

    Args:
        config: of the run.
        should_stop: asked often; True ends training, with a checkpoint.
        beat: called as long as training gets on.
        make: makes the agent, once the schema is known.
    """

    def __init__(
        self,
        config: TrainConfig,
        should_stop: Callable[[], bool] = lambda: False,
        beat: Callable[[], None] = lambda: None,
        make: Callable[[SampleSchema], Agent] | None = None,
    ) -> None:
        self._config = config
        self._should_stop = should_stop
        self._beat = beat
        self._make = make or (lambda schema: make_agent(schema, config.trainer))
        self._folder = config.folder / "trainer"
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
        info = found[1] if found else Info()
        if found:
            for line in check_same(info, self._config):
                _log.info("%s", line)
        schema = schema_from_bytes(info.schema) if found else None
        link = LearnerLink(self._config, info.bookmark, info.progress.version, schema, info.known())
        with closing(link), TrainerLog(self._folder, self._config, info.logs) as log:
            while schema is None:
                if self._should_stop():
                    return
                self._beat()
                schema = link.wait_for_schema(_WAIT_S)
            training = Training(self._config, schema, self._make(schema), link, log, self._checkpoints)
            if found:
                training.load(*found)
            training.demonstrate()
            if found and not self._refill(training, schema):
                return
            while not self._should_stop() and training.turn():
                self._beat()
            training.end()

    def _refill(self, training: Training, schema: SampleSchema) -> bool:
        """Fill the replay memory from the stream, which keeps about as many samples; return False if it is to stop."""
        with closing(LearnerLink(self._config, schema=schema)) as past:
            while not past.has_caught_up and not self._should_stop():
                self._beat()
                if not training.refill(past.collect(_WAIT_S)):
                    break
        return not self._should_stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; return 0, or 2 where it is of no use to start again."""
    options = config_parser("trainer", __doc__).parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="trainer: %(message)s", stream=sys.stderr)
    logging.getLogger("nats").setLevel(logging.CRITICAL)  # what matters of it comes as an exception
    with StopSignal(_PATIENCE_S) as stop:
        try:
            config = load_config(options.config, options.set)
            folder = config.folder / "trainer"
            with locked(folder / "lock", f"{folder} is in use by another trainer"):
                Trainer(config, lambda: stop.is_set, lambda: beat(folder / HEARTBEAT_FILE)).run()
        except RtgymError as error:
            sys.stderr.write(f"trainer: {error}\n")
            return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
