"""``train_worker``: a robot that collects samples for a trainer elsewhere, or flies with what was learned."""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec

from rtgym_ros.core.errors import ConfigError, StateError
from rtgym_ros.core.files import locked
from rtgym_ros.core.locate import locate_program
from rtgym_ros.core.one_line_parser import OneLineParser, without_ros_arguments
from rtgym_ros.policies.weights import WeightsError
from rtgym_ros.train.config import SecurityConfig, TrainConfig
from rtgym_ros.train.config_file import config_parser, load_config
from rtgym_ros.train.errors import CredentialsError
from rtgym_ros.train.security.credentials import robot_name
from rtgym_ros.train.stream.names import Name
from rtgym_ros.train.supervision.supervisor import Child, Supervisor

HEARTBEAT_FILE = "link.heartbeat"  # of the link process, in the worker's folder
_LINK_SILENCE_S = 60.0  # a request may take 10 s, and to connect anew longer
_CLOSING_S = 20.0  # what a child may take to end, besides draining
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
"""A policy is small: a second thread saves it nothing, and has to be waited for."""


def main(arguments: list[str] | None = None) -> int:
    """Run a worker until a signal comes or all episodes are done; return 0, or 2 for what is no use to try again."""
    arguments = without_ros_arguments(sys.argv[1:] if arguments is None else arguments)
    parser = worker_parser("train_worker", __doc__)
    alone = parser.add_mutually_exclusive_group()
    alone.add_argument(
        "--standalone", type=Path, metavar="FILE", help="fly with this policy file, deterministically, without a server"
    )
    alone.add_argument(
        "--benchmark", type=int, metavar="N", help="measure the environment for N time-steps, without a server"
    )
    options = parser.parse_args(arguments)
    try:
        config = load_config(options.config, options.set)
        sys.path.insert(0, "")  # environment.modules are found beside you, as by the processes of `python -m`
        if options.standalone is not None:
            from rtgym_ros.train.worker.standalone import fly

            fly(config, options.standalone, options.episodes)
        elif options.benchmark is not None:
            from rtgym_ros.train.worker.standalone import measure

            measure(config, options.benchmark)
        else:
            return _supervise(config, options, arguments)
    except (ConfigError, CredentialsError, WeightsError, StateError) as error:
        sys.stderr.write(f"train_worker: {error}\n")
        return 2
    return 0


def worker_parser(program: str, description: str | None, is_process: bool = False) -> OneLineParser:
    """Return the parser of ``train_worker``, or of one of its processes: they take the same arguments."""
    parser = config_parser(program, description)
    default = _default_name()
    parser.add_argument("--name", required=is_process, help=f"of this worker (that in its certificate, or {default})")
    parser.add_argument("--folder", type=Path, required=is_process, help="for its files (DIRECTORY/RUN/workers/NAME)")
    parser.add_argument("--episodes", type=int, metavar="N", help="end after so many training episodes")
    parser.add_argument("--expert", action="store_true", help="adopt no weights: the policy is a teacher")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="record every time-step, to FOLDER/NAME")
    parser.add_argument("--policy-file", type=Path, metavar="FILE", help="weights to begin with")
    return parser


def worker_children(
    robot: Sequence[str], arguments: list[str], name: str, folder: Path, record: Path | None = None
) -> list[Child]:
    """Return the processes of a worker, in the order in which they start; they get the arguments of ``train_worker``.

    Args:
        robot: the command of a simulated robot beside it; empty where there is none.
        arguments: but for its name and folder.
        name: of the worker.
        folder: of the worker.
        record: it records to a folder of its name in this one; None where it does not.

    Raises:
        ConfigError: it is to record, and the package mcap is not installed.
    """
    arguments = [*arguments, "--name", name, "--folder", str(folder)]
    if record is not None:
        if find_spec("mcap") is None:
            raise ConfigError("--record: pip install 'rtgym_ros[record]'")
        arguments += ["--record", str(record.absolute() / name)]
    link, control = (
        [sys.executable, "-m", f"rtgym_ros.train.worker.{module}", *arguments] for module in ("link_main", "control")
    )
    one_thread = {variable: os.environ.get(variable, number) for variable, number in _ONE_THREAD.items()}
    # The link comes first: it is stopped last, when the control process has written its last sample.
    return [
        Child(f"{name} link", link, heartbeat=folder / HEARTBEAT_FILE, heartbeat_timeout_s=_LINK_SILENCE_S),
        *([Child(f"{name} robot", locate_program(robot))] if robot else []),
        Child(f"{name} control", control, one_thread, ends_run=True, death_signal=signal.SIGTERM),
    ]


def _supervise(config: TrainConfig, options: argparse.Namespace, arguments: list[str]) -> int:
    name = _name(options.name, config.security)
    folder = (options.folder or config.folder / "workers" / name).absolute()
    children = worker_children(config.worker.robot, arguments, name, folder, options.record)
    with locked(folder / "worker.lock", f"another worker uses {folder}: give this one another --name"):
        return Supervisor(children, config.worker.drain_timeout + _CLOSING_S).run()


def _name(asked: str | None, security: SecurityConfig) -> str:
    if asked is None and security.directory is None:
        asked = _default_name()
    name = robot_name(security, asked or "")
    try:
        return msgspec.convert(name, Name)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"--name {name!r} must be up to 64 letters, digits, '_' and '-', beginning with a letter or digit"
        ) from error


def _default_name() -> str:
    cleaned = re.sub(r"[^A-Za-z0-9_-]+", "-", socket.gethostname()).lstrip("_-")
    return cleaned[:64] or "worker"


if __name__ == "__main__":
    sys.exit(main())
