"""``train_trainer``: the trainer of a run. It goes on where it was, whenever it is started again."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rtgym_ros.core.errors import RtgymError
from rtgym_ros.train.command_line import config_of, config_parser
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.config_file import to_yaml
from rtgym_ros.train.policy.policy_file import write_atomically
from rtgym_ros.train.supervision.supervisor import REFUSED, Child, Supervisor
from rtgym_ros.train.trainer.process import heartbeat_of

_STOP_TIMEOUT_S = 60.0  # the last checkpoint may be large
_RELAY_SILENCE_S = 60.0  # to connect to a Ray that has just died takes its time
_HEARTBEAT_TIMEOUT_S = 300.0  # so may any checkpoint, and the updates between two looks for samples


def main(arguments: Sequence[str] | None = None) -> int:
    """Supervise the trainer process and the relay, which speaks to the server for it; return the exit code."""
    options = config_parser("train_trainer", __doc__).parse_args(arguments)
    try:
        config = config_of(options)
        with tempfile.TemporaryDirectory(prefix="rtgym_") as sockets:
            return Supervisor(_children(config, Path(sockets) / "relay"), _STOP_TIMEOUT_S).run()
    except RtgymError as error:
        sys.stderr.write(f"train_trainer: {error}\n")
        return REFUSED


def _children(config: TrainConfig, relay_socket: Path) -> list[Child]:
    folder = config.folder / "trainer"
    folder.mkdir(parents=True, exist_ok=True)
    effective = folder / "config.yaml"  # what the processes read: the file as it is now, with the overrides
    write_atomically(effective, to_yaml(config).encode())
    kind, _, address = config.trainer.server.partition(":")
    direct = kind == "unix"
    socket = Path(address).expanduser() if direct else relay_socket
    options = ["--config", str(effective), "--socket", str(socket)]
    trainer = Child(
        "trainer",
        [sys.executable, "-m", "rtgym_ros.train.trainer.process", *options],
        ends_run=True,
        heartbeat=heartbeat_of(config),
        heartbeat_timeout_s=_HEARTBEAT_TIMEOUT_S,
    )
    if direct:
        return [trainer]
    # Ray may end the process that speaks to it, at any moment: that must not be the one that learns.
    beats = folder / "relay.heartbeat"
    command = [sys.executable, "-m", "rtgym_ros.train.links.relay", *options, "--role", "trainer"]
    relay = Child("relay", [*command, "--heartbeat", str(beats)], heartbeat=beats, heartbeat_timeout_s=_RELAY_SILENCE_S)
    return [relay, trainer]


if __name__ == "__main__":
    sys.exit(main())
