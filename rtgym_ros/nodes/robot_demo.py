"""Start a robot that comes with the package, fly it by its contract, and show what came of it."""

from __future__ import annotations

import argparse
import logging
import secrets
import signal
import sys
import warnings
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from types import FrameType
from typing import Any

import numpy as np

from rtgym_ros.core.errors import ConfigError, InterfaceTimeoutError, RtgymError, TimeStepTimeoutWarning
from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.ros.arguments import own_arguments

_LARGEST_SEED = 2**31 - 1

_START_S = 20.0
"""How long the robot may take to appear (s)."""


def main() -> int:
    """Run the demo; return 0, 1 on failure, 2 for bad input, 128 + the signal where one ended it."""
    logging.basicConfig(format="robot_demo: %(message)s")
    warnings.simplefilter("ignore", TimeStepTimeoutWarning)  # the table counts them
    interrupted: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        interrupted.append(number)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        options = _parse(own_arguments(sys.argv))
        from rtgym_ros.nodes.demo_robots import Flight

        flights: list[Flight] = []
        _fly(options, flights)
    except ConfigError as error:
        return _fail(error, 2)
    except RtgymError as error:
        return _fail(error, 1)
    except ImportError as error:
        return _fail(f"{error.name} is not installed: pip install 'rtgym_ros[tutorial]'", 1)
    except KeyboardInterrupt:
        return 128 + interrupted[0]
    try:
        _report(options, flights)
    except OSError as error:
        return _fail(f"--plot: {error}", 1)
    return 0


def _fly(options: argparse.Namespace, flights: list[Any]) -> None:
    """Fly; close environment and robot, whatever happens.

    Raises:
        RtgymError: the robot cannot be reached, or a step of its contract has failed.
    """
    import gymnasium

    import rtgym_ros  # noqa: F401 (registers the environments)
    from rtgym_ros.nodes.demo_robots import ROBOTS, Flight
    from rtgym_ros.nodes.robot_process import RobotProcess

    robot = ROBOTS[options.robot]
    namespace = options.namespace or f"/{options.robot}_{secrets.token_hex(3)}"
    with ExitStack() as stack:
        if options.namespace is None and options.node is None:
            stack.enter_context(RobotProcess(robot.program, namespace, (f"seed:={options.seed}",)))
        if options.node is None:
            print(f"seed {options.seed}, topics in {namespace}", flush=True)
            here = {"namespace": namespace, "guard": options.guard}
            env: Any = gymnasium.make("rtgym_ros/Contract-v0", contract=options.contract or robot.contract, **here)
        else:
            print(f"seed {options.seed}, through {options.node}", flush=True)
            where = {"node": options.node, "namespace": options.namespace or "", "node_timeout": _START_S}
            env = gymnasium.make("rtgym_ros/Contract-v0", contract=options.contract or robot.contract, **where)
        if options.record is not None:
            env = _recorded(env, options.record)
        stack.callback(env.close)  # before the robot's process ends: it has to be stopped
        if options.node is None:
            _wait_for_robot(env.unwrapped.interface.node)
        for number in range(1, options.episodes + 1):
            flight = Flight(number)
            flights.append(flight)
            began = monotonic()
            observation, info = env.reset(seed=options.seed + number)
            terminated = truncated = False
            while not (terminated or truncated):
                action = robot.policy(observation)
                flight.observations.append(observation)
                observation, reward, terminated, truncated, info = env.step(action)
                flight.commands.append(np.asarray(info["executed_action"]))
                flight.episode_return += float(reward)
                flight.timeouts += int(info["time_step_timed_out"])
            flight.is_success, flight.finished = bool(info["is_success"]), "truncation" not in info
            print(
                f"episode {number}: {len(flight.commands)} time-steps, {monotonic() - began:.1f} s, "
                f"{'reached' if flight.is_success else info.get('truncation', 'not reached')}",
                flush=True,
            )


def _wait_for_robot(node: Any) -> None:
    deadline = monotonic() + _START_S
    while not node.count_publishers("robot_ready"):
        if monotonic() > deadline:
            raise InterfaceTimeoutError(f"no robot has appeared in {node.get_namespace()} for {_START_S:g} s")
        sleep(0.02)


def _recorded(env: Any, folder: Path) -> Any:
    """Return the environment with its time-steps and all messages of the robot recorded.

    Raises:
        ConfigError: the folder cannot be made.
    """
    from rtgym_ros.wrappers import Record

    try:
        return Record(env, folder, topics="all" if hasattr(env.unwrapped, "interface") else "none")
    except BaseException as error:
        env.close()
        if isinstance(error, OSError):
            raise ConfigError(f"--record: {error}") from error
        raise


def _report(options: argparse.Namespace, flights: list[Any]) -> None:
    """Print the table and write the picture."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from rtgym_ros.nodes.demo_robots import ROBOTS

    table = Table(title="Episodes", title_justify="left", box=SIMPLE_HEAD)
    for heading in ("episode", "return", "time-steps", "reached", "timeouts"):
        table.add_column(heading, justify="right")
    for flight in flights:
        row = (flight.number, f"{flight.episode_return:.2f}", len(flight.commands))
        table.add_row(*map(str, row), "yes" if flight.is_success else "no", str(flight.timeouts))
    console = Console()
    console.print(table)
    if options.plot is not None:
        ROBOTS[options.robot].plot(options.plot, flights, 0.05)
        console.print(f"picture: {options.plot}", highlight=False, soft_wrap=True)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = OneLineParser("robot_demo", description="Fly a simulated robot by its contract, over real ROS 2 topics.")
    parser.add_argument("robot", choices=("drive", "arm"), help="which one")
    parser.add_argument(
        "--episodes", type=_count, default=3, metavar="N", help="how many are flown (default: %(default)s)"
    )
    parser.add_argument("--seed", type=_seed, help="of the targets and of the robot (default: a new one)")
    parser.add_argument("--namespace", metavar="/NAME", help="fly a robot that runs already, in this namespace")
    parser.add_argument("--node", metavar="NAME", help="fly through the env_node of that name, which runs already")
    parser.add_argument("--contract", metavar="FILE", help="in place of the contract that comes with the package")
    parser.add_argument(
        "--guard", action="store_true", help="send the commands to the robot's guard, which runs already"
    )
    parser.add_argument("--plot", type=_picture, metavar="FILE.png", help="write a picture of the flights")
    parser.add_argument(
        "--record", type=Path, metavar="FOLDER", help="record every time-step, and every message, to MCAP files there"
    )
    options = parser.parse_args(arguments)
    if options.guard and (options.node is not None or options.namespace is None):
        parser.error("--guard goes with --namespace; behind env_node it is a parameter of that")
    if options.seed is None:
        options.seed = int(np.random.default_rng().integers(1_000_000))
    return options


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number >= 1, got {text!r}")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) > _LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to {_LARGEST_SEED}, got {text!r}")
    return int(text)


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() != ".png" or not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"must end in .png, in a folder that exists, got {text!r}")
    return path


def _fail(error: Any, code: int) -> int:
    print(f"robot_demo: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
