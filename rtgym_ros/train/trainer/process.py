"""The trainer process: ``train_trainer`` starts it, and starts it again when it dies."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from rtgym_ros.core.errors import RtgymError
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.train.command_line import config_of, config_parser
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.files import locked
from rtgym_ros.train.supervision.heartbeat import beat
from rtgym_ros.train.supervision.supervisor import REFUSED

_PATIENCE_S = 55.0  # for the last checkpoint; a little less than the supervisor's


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; return 0, or 2 where it is of no use to start again."""
    options = config_parser("trainer", __doc__).parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="trainer: %(message)s", stream=sys.stderr)
    logging.getLogger("nats").setLevel(logging.CRITICAL)  # what matters of it comes as an exception
    with StopSignal(_PATIENCE_S) as stop:
        try:
            _train(config_of(options), stop)
        except RtgymError as error:
            sys.stderr.write(f"trainer: {error}\n")
            return REFUSED
    return 0


def _train(config: TrainConfig, stop: StopSignal) -> None:
    folder = config.folder / "trainer"
    folder.mkdir(parents=True, exist_ok=True)
    heartbeat = heartbeat_of(config)
    beat(heartbeat)
    from rtgym_ros.train.trainer.trainer import Trainer  # torch, in agents and log: it takes its time

    with locked(folder / "lock", f"{folder} is in use by another trainer"):
        Trainer(config, lambda: stop.is_set, lambda: beat(heartbeat)).run()


def heartbeat_of(config: TrainConfig) -> Path:
    """Return the file that the process touches as long as it gets on."""
    return config.folder / "trainer" / "heartbeat"


if __name__ == "__main__":
    sys.exit(main())
