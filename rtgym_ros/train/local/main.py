"""``train_local`` (``./dev train``): server, trainer and workers on this machine, until there is a policy."""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

import msgspec

from rtgym_ros.core.errors import RtgymError
from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.train.command_line import config_of
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.config_file import make_config, steps_per_version, to_yaml
from rtgym_ros.train.supervision.supervisor import Child, Supervisor
from rtgym_ros.train.worker.ring_folder import discard_rings

_HOST = "127.0.0.2"
"""This machine, and Ray leaves it as it is."""

_STOP_TIMEOUT_S = 60.0
"""Longer than a worker takes to hand over what it has, and a trainer to write a checkpoint (s)."""

_SIMULATED = "rtgym_ros/SimulatedDrone-v0"
_RESULT = "policy.safetensors"
_PICTURE = "learning_curve.png"


def main(arguments: list[str] | None = None) -> int:
    """Run until training has ended, or a signal comes; return 0, or 2 for what is no use to try again."""
    options = _parse(arguments)
    try:
        config = _configure(options)
        config.folder.mkdir(parents=True, exist_ok=True)
        path = config.folder / "config.yaml"
        path.write_text(to_yaml(config))
        print(f"train_local: {config.environment.id}, in {config.folder}", file=sys.stderr)
        code = Supervisor(_children(path, config.worker.robot, options), _STOP_TIMEOUT_S).run()
        if (config.folder / _RESULT).exists():
            _conclude(config)
        return code
    except (RtgymError, OSError) as error:
        print(f"train_local: {error}", file=sys.stderr)
        return 2


def _configure(options: argparse.Namespace) -> TrainConfig:
    config = config_of(options)
    if options.fresh and config.folder.exists():
        discard_rings(config.folder)
        shutil.rmtree(config.folder)
    changed: dict[str, Any] = msgspec.to_builtins(config)
    if options.sim_time:
        # Where its topics are does not concern it; what its clock and its action buffer are like does.
        kwargs = {name: value for name, value in config.environment.kwargs.items() if name == "config"}
        changed["environment"].update(id=_SIMULATED, kwargs=kwargs)
        # Simulated time goes as fast as the trainer learns, and no faster.
        steps = steps_per_version(config.trainer)
        first = max(steps, config.trainer.start_training)
        changed["worker"].update(robot=[], max_steps_per_update=steps, initial_steps=first)
    if options.samples is not None:
        changed["trainer"]["max_samples"] = options.samples
    if options.seed is not None:
        changed["trainer"]["seed"] = options.seed
    if config.server.ray is None:
        address = f"unix:{config.folder.absolute() / 'server.sock'}"
    else:
        changed["server"].update(ray=f"{_HOST}:{_free_port()}", start_ray=True)
        address = f"ray:{changed['server']['ray']}"
    for role in ("worker", "trainer"):
        changed[role]["server"] = address
    return make_config(changed)


def _children(path: Path, robot: tuple[str, ...], options: argparse.Namespace) -> list[Child]:
    def role(name: str, module: str, *arguments: str, ends_run: bool = False) -> Child:
        command = [sys.executable, "-m", f"rtgym_ros.train.{module}", "--config", str(path), *arguments]
        return Child(name, command, ends_run=ends_run)

    # Stopped from the last to the first: workers hand over what they have, then the server goes.
    children = [role("server", "server.main"), role("trainer", "trainer.main", ends_run=True)]
    for number in range(1, options.workers + 1):
        name = f"worker{number}"
        arguments = ["--name", name]
        if options.workers > 1 and robot:  # one each, in a namespace of its own
            namespaced = [*robot, "--ros-args", "-r", f"__ns:=/{name}"]
            arguments += ["--set", f"environment.kwargs.namespace=/{name}"]
            arguments += ["--set", f"worker.robot={json.dumps(namespaced)}"]
        children.append(role(name, "worker.main", *arguments))
    if not options.quiet:
        children.append(role("table", "local.live_table"))
    return children


def _conclude(config: TrainConfig) -> None:
    """Leave a picture and the policy where they are found."""
    from rtgym_ros.train.local.episodes import read_episodes
    from rtgym_ros.train.local.learning_curve import save_learning_curve

    save_learning_curve(config.folder / _PICTURE, {config.run: [read_episodes(config.folder / "trainer")]})
    for what, name in (("learning curve", _PICTURE), ("policy", _RESULT)):
        print(f"{what}: {config.folder / name}")
    print(
        f"fly it: train_worker --config {config.folder / 'config.yaml'} --standalone {config.folder / _RESULT}"
        " --episodes 10"
    )


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((_HOST, 0))
        return int(listener.getsockname()[1])


def _default_config() -> Path:
    """Return config/train.yaml of the source tree, or of the installed package."""
    source = Path(__file__).parents[3] / "config" / "train.yaml"
    return source if source.exists() else Path(sys.prefix) / "share" / "rtgym_ros" / "config" / "train.yaml"


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = OneLineParser(
        "train_local", description="Learn to fly the drone: server, trainer and workers on this machine."
    )
    parser.add_argument(
        "--config", type=Path, default=_default_config(), metavar="FILE", help="of the run (default: %(default)s)"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.ENTRY=VALUE", help="over an entry of the file"
    )
    parser.add_argument("--sim-time", action="store_true", help="on a simulated drone, as fast as the trainer learns")
    parser.add_argument("--samples", type=int, metavar="N", help="end when so many are learned from")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="robots (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="of networks and sampling")
    parser.add_argument("--fresh", action="store_true", help="throw away what a run of this name has left")
    parser.add_argument("--quiet", action="store_true", help="no table")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
