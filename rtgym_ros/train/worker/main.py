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
from rtgym_ros.train.command_line import config_arguments, config_of, config_parser
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import CredentialsError, ProtocolError
from rtgym_ros.train.files import locked
from rtgym_ros.train.locate import locate_program
from rtgym_ros.train.security.credentials import robot_name
from rtgym_ros.train.stream.names import Name
from rtgym_ros.train.supervision.supervisor import Child, Supervisor

HEARTBEAT_FILE = "link.heartbeat"
"""Of the link process, in the worker's folder."""
_LINK_SILENCE_S = 60.0
"""A request may take 10 s, and to connect anew longer."""
CLOSING_S = 20.0
"""What a child may take to end, besides draining."""
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
"""A policy is small: a second thread saves it nothing, and has to be waited for."""


def main(arguments: list[str] | None = None) -> int:
    """Run a worker until a signal comes or all episodes are done; return 0, or 2 for what is no use to try again."""
    options = _parse(arguments)
    try:
        config = config_of(options)
        sys.path.insert(0, "")  # environment.modules are found beside you, as by the processes of `python -m`
        if options.standalone is not None:
            from rtgym_ros.train.worker.standalone import fly

            fly(config, options.standalone, options.episodes, _say)
            return 0
        if options.benchmark is not None:
            from rtgym_ros.train.worker.standalone import measure

            measure(config, options.benchmark, _say)
            return 0
        return _supervise(config, options)
    except (ConfigError, CredentialsError, ProtocolError, StateError) as error:
        sys.stderr.write(f"train_worker: {error}\n")
        return 2


def _supervise(config: TrainConfig, options: argparse.Namespace) -> int:
    name = _checked(options.name if options.name is not None or config.security.directory else _default_name(), config)
    folder = (options.folder or config.folder / "workers" / name).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    more: list[str] = []
    if options.episodes is not None:
        more += ["--episodes", str(options.episodes)]
    if options.expert:
        more.append("--expert")
    if options.policy_file is not None:
        more += ["--policy-file", str(options.policy_file)]
    if options.record is not None:
        more += ["--record", str(recordings(options.record, name))]
    children = worker_children(config, config_arguments(options), name, folder, more)
    with locked(folder / "worker.lock", f"another worker uses {folder}: give this one another --name"):
        return Supervisor(
            children, config.worker.drain_timeout + CLOSING_S, lambda line: _complain(f"train_worker {name}: {line}")
        ).run()


def recordings(folder: Path, name: str) -> Path:
    """Return where a worker records to, within the folder of ``--record``.

    Raises:
        ConfigError: the package mcap is not installed.
    """
    if find_spec("mcap") is None:
        raise ConfigError("--record: pip install 'rtgym_ros[record]'")
    return folder.absolute() / name


def worker_children(
    config: TrainConfig, arguments: list[str], name: str, folder: Path, control_arguments: Sequence[str] = ()
) -> list[Child]:
    """Return the processes of a worker, in the order in which they start.

    Args:
        config: of the run, for this worker.
        arguments: by which the processes get the same configuration.
        name: of the worker.
        folder: of the worker.
        control_arguments: more of them, for its control process.
    """
    common = [*arguments, "--name", name, "--folder", str(folder)]
    one_thread = {variable: os.environ.get(variable, number) for variable, number in _ONE_THREAD.items()}
    control = _module("control", [*common, *control_arguments])
    # The link comes first: it is stopped last, when the control process has written its last sample.
    return [
        Child(f"{name} link", _module("link_main", common), None, False, folder / HEARTBEAT_FILE, _LINK_SILENCE_S),
        *([Child(f"{name} robot", locate_program(config.worker.robot))] if config.worker.robot else []),
        Child(f"{name} control", control, one_thread, ends_run=True, death_signal=signal.SIGTERM),
    ]


def _module(name: str, arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", f"rtgym_ros.train.worker.{name}", *arguments]


def _checked(name: str | None, config: TrainConfig) -> str:
    name = robot_name(config.security, name or "")
    try:
        return msgspec.convert(name, Name)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"--name {name!r} must be up to 64 letters, digits, '_' and '-', beginning with a letter or digit"
        ) from error


def _default_name() -> str:
    cleaned = re.sub(r"[^A-Za-z0-9_-]+", "-", socket.gethostname()).lstrip("_-")
    return cleaned[:64] or "worker"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _complain(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = config_parser("train_worker", __doc__)
    parser.add_argument("--name", help=f"of this worker (that in its certificate, or {_default_name()})")
    parser.add_argument("--folder", type=Path, help="for its files (DIRECTORY/RUN/workers/NAME)")
    parser.add_argument("--episodes", type=int, metavar="N", help="end after so many training episodes")
    parser.add_argument("--expert", action="store_true", help="adopt no weights: the policy is a teacher")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="record every time-step, to FOLDER/NAME")
    parser.add_argument("--policy-file", type=Path, metavar="FILE", help="weights to begin with")
    alone = parser.add_mutually_exclusive_group()
    alone.add_argument(
        "--standalone", type=Path, metavar="FILE", help="fly with this policy file, deterministically, without a server"
    )
    alone.add_argument(
        "--benchmark", type=int, metavar="N", help="measure the environment for N time-steps, without a server"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
