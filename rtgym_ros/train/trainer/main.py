"""``train_trainer``: the trainer of a run. It goes on where it was, whenever it is started again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rtgym_ros.core.errors import RtgymError
from rtgym_ros.core.files import write_atomically
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.config_file import config_parser, load_config, to_yaml
from rtgym_ros.train.supervision.supervisor import REFUSED, Child, Supervisor
from rtgym_ros.train.trainer.checkpoint import Checkpoints

HEARTBEAT_FILE = "heartbeat"
STOP_TIMEOUT_S = 60.0  # the last checkpoint may be large
_HEARTBEAT_TIMEOUT_S = 300.0  # so may any checkpoint, and the updates between two looks for samples


def main(arguments: Sequence[str] | None = None) -> int:
    """Supervise the trainer process; return the exit code."""
    parser = config_parser("train_trainer", __doc__)
    parser.add_argument(
        "--reset-training",
        action="store_true",
        help="forget what was learned, and learn anew from the stream's samples",
    )
    options = parser.parse_args(arguments)
    try:
        config = load_config(options.config, options.set)
        folder = config.folder / "trainer"
        folder.mkdir(parents=True, exist_ok=True)
        if options.reset_training:
            Checkpoints(folder / "checkpoints").discard()
        effective = folder / "config.yaml"  # what the process reads: the file as it is now, with the overrides
        write_atomically(effective, to_yaml(config).encode())
        return Supervisor([trainer_child(config, effective)], STOP_TIMEOUT_S).run()
    except (RtgymError, OSError) as error:
        sys.stderr.write(f"train_trainer: {error}\n")
        return REFUSED


def trainer_child(config: TrainConfig, path: Path) -> Child:
    """Return the trainer process of a run, whose configuration is in the file ``path``."""
    return Child(
        "trainer",
        [sys.executable, "-m", "rtgym_ros.train.trainer.trainer", "--config", str(path)],
        ends_run=True,
        heartbeat=config.folder / "trainer" / HEARTBEAT_FILE,
        heartbeat_timeout_s=_HEARTBEAT_TIMEOUT_S,
    )


if __name__ == "__main__":
    sys.exit(main())
