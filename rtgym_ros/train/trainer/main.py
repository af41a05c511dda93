"""``train_trainer``: the trainer of a run. It goes on where it was, whenever it is started again."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from rtgym_ros.core.errors import RtgymError
from rtgym_ros.train.config import TrainConfig, load_config, to_yaml
from rtgym_ros.train.policy.policy_file import write_atomically
from rtgym_ros.train.supervision.supervisor import REFUSED, Child, Supervisor
from rtgym_ros.train.trainer.process import heartbeat_of

_STOP_TIMEOUT_S = 60.0  # the last checkpoint may be large
_HEARTBEAT_TIMEOUT_S = 300.0  # so may any checkpoint, and the updates between two looks for samples


def main() -> None:
    """Supervise the trainer process and the relay, which speaks to the server for it."""
    parser = argparse.ArgumentParser(prog="train_trainer", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the YAML file of the run")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.ENTRY=VALUE",
        help="replace an entry of the file; may be given several times",
    )
    arguments = parser.parse_args()
    try:
        config = load_config(arguments.config, tuple(arguments.set))
        with tempfile.TemporaryDirectory(prefix="rtgym_") as sockets:
            code = Supervisor(_children(config, Path(sockets) / "relay"), _STOP_TIMEOUT_S).run()
    except RtgymError as error:
        sys.stderr.write(f"train_trainer: {error}\n")
        code = REFUSED
    sys.exit(code)


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
    relay = Child("relay", [sys.executable, "-m", "rtgym_ros.train.links.relay", *options, "--role", "trainer"])
    return [relay, trainer]


if __name__ == "__main__":
    main()
