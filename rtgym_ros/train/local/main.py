"""``train_local`` (``./dev train``): server, trainer and workers on this machine, until there is a policy."""

from __future__ import annotations

import argparse
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rtgym_ros.core.errors import ConfigError, RtgymError
from rtgym_ros.core.files import locked
from rtgym_ros.core.locate import shared_file
from rtgym_ros.core.one_line_parser import OneLineParser

MARK = ".rtgym_ros"  # file in the folder of a run: what --fresh may delete has it
_SIMULATED = "rtgym_ros/SimulatedDrone-v0"
_DRONE, _DRONE_HZ = "rtgym_ros/Drone-v0", 20.0
_RESULT = "policy.safetensors"
_PICTURE = "learning_curve.png"


def main(arguments: list[str] | None = None) -> int:
    """Run until training has ended, or a signal comes; return 0, or 2 for what is no use to try again."""
    options = _parse(arguments)  # before anything is imported that may not be installed
    try:
        with ExitStack() as stack:
            return _run(options, stack)
    except (RtgymError, OSError) as error:
        print(f"train_local: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace, stack: ExitStack) -> int:
    from rtgym_ros.train.config_file import to_yaml
    from rtgym_ros.train.server.main import server_folder
    from rtgym_ros.train.supervision.supervisor import Supervisor

    config = _configure(options)
    _enter_folder(config.folder, options.fresh, stack)
    stack.enter_context(server_folder(config))
    path = config.folder / "config.yaml"
    path.write_text(to_yaml(config))
    print(f"train_local: {config.environment.id}, in {config.folder}", file=sys.stderr)
    code = Supervisor(_children(config, path, options), config.worker.drain_timeout + 60.0).run()
    if (config.folder / _RESULT).exists():
        _conclude(config)
    return code


def _configure(options: argparse.Namespace) -> Any:
    import msgspec

    from rtgym_ros.train.config_file import load_config, make_config, steps_per_version
    from rtgym_ros.train.server.main import free_port

    config = load_config(options.config, options.set)
    changed: dict[str, Any] = msgspec.to_builtins(config)
    if options.sim_time:
        # Where its topics are does not concern it; what its clock and its action buffer are like does.
        kwargs = {name: value for name, value in config.environment.kwargs.items() if name == "config"}
        changed["environment"].update(id=_SIMULATED, kwargs=kwargs)
        # Simulated time goes as fast as the trainer learns, and no faster.
        steps = steps_per_version(config.trainer)
        first = max(steps, config.trainer.start_training)
        changed["worker"].update(robot=[], max_steps_per_update=steps, initial_steps=first)
    shown = [str(Path(path).absolute()) for path in options.demonstrations] or None
    asked = {"max_samples": options.samples, "demonstrations": shown, "seed": options.seed}
    changed["trainer"].update((name, value) for name, value in asked.items() if value is not None)
    address = f"127.0.0.1:{free_port()}"
    changed["server"].update(listen=address, url=[f"nats://{address}"])
    for role in ("worker", "trainer"):
        changed[role]["url"] = []
    return make_config(changed)


def _enter_folder(folder: Path, fresh: bool, stack: ExitStack) -> None:
    """Make the folder this program's alone; with ``fresh``, delete what an earlier run has left.

    Raises:
        ConfigError: another run is in it, or it holds what is not of a run.
    """
    from rtgym_ros.train.worker.ring_folder import discard_rings, remove_orphans

    refusal = f"another train_local is at work in {folder}: wait for it, or choose another run"
    stack.enter_context(locked(folder.parent / f".{folder.name}.lock", refusal))
    if fresh and folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise ConfigError(f"--fresh would delete {folder}, which train_local did not make: move it away yourself")
        discard_rings(folder)
        shutil.rmtree(folder)
    remove_orphans()
    folder.mkdir(exist_ok=True)
    (folder / MARK).touch()


def _children(config: Any, path: Path, options: argparse.Namespace) -> list[Any]:
    from rtgym_ros.train.server.main import server_child
    from rtgym_ros.train.supervision.supervisor import Child
    from rtgym_ros.train.trainer.main import trainer_child
    from rtgym_ros.train.worker.main import worker_children

    # Stopped from the last to the first: workers hand over what they have, then the server goes.
    children = [server_child(config), trainer_child(config, path)]
    for number in range(1, options.workers + 1):
        name, robot, arguments = f"worker{number}", list(config.worker.robot), ["--config", str(path)]
        if options.workers > 1 and robot:  # one each, in a namespace of its own
            robot += ["--ros-args", "-r", f"__ns:=/{name}"]
            arguments += ["--set", f"environment.kwargs.namespace=/{name}"]
        folder = (config.folder / "workers" / name).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        children += worker_children(robot, arguments, name, folder, options.record)
    if not options.quiet:
        table = [sys.executable, "-m", "rtgym_ros.train.local.live_table", "--config", str(path)]
        children.append(Child("table", table))
    return children


def _conclude(config: Any) -> None:
    """Leave a picture and the policy where they are found."""
    from rtgym_ros.train.local.learning_curve import read_episodes, save_learning_curve

    # Another configuration may have another rate, and another observation than ./dev drone has.
    drone = config.environment.id in (_SIMULATED, _DRONE) and "config" not in config.environment.kwargs
    rate_hz = _DRONE_HZ if drone else None
    save_learning_curve(config.folder / _PICTURE, {config.run: [read_episodes(config.folder / "trainer")]}, rate_hz)
    print(f"learning curve: {config.folder / _PICTURE}\npolicy: {config.folder / _RESULT}")
    alone = f"train_worker --config {config.folder / 'config.yaml'} --standalone"
    print(f"fly it: {'./dev drone --policy' if drone else alone} {config.folder / _RESULT}")


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    description = "Learn to fly the drone: server, trainer and workers on this machine."
    parser = OneLineParser("train_local", description=description)
    parser.add_argument(
        "--config", type=Path, default=shared_file("config/train.yaml"), metavar="FILE",
        help="of the run (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.ENTRY=VALUE", help="over an entry of the file"
    )
    parser.add_argument("--sim-time", action="store_true", help="on a simulated drone, as fast as the trainer learns")
    parser.add_argument("--samples", type=int, metavar="N", help="end when so many are learned from")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="robots (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="of networks and sampling")
    parser.add_argument("--fresh", action="store_true", help="throw away what a run of this name has left")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="record every time-step, to FOLDER/WORKER")
    parser.add_argument(
        "--demonstrations", action="append", default=[], metavar="PATH",
        help="recordings that the replay memory begins with; may be given again",
    )  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="no table")
    options = parser.parse_args(arguments)
    if options.workers < 1:
        got = f"got {options.workers}: without a worker nothing is learned"
        parser.error(f"argument --workers: must be at least 1, {got}")
    return options


if __name__ == "__main__":
    sys.exit(main())
