"""The tutorial: start the drone, fly it to random targets over real topics, and show what came of it."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from types import FrameType
from typing import Any

import gymnasium
import numpy as np
from rich.console import Console

import rtgym_ros  # noqa: F401 (registers the environments)
from rtgym_ros.core.errors import ConfigError, InterfaceTimeoutError, RtgymError, TimeStepTimeoutWarning, nearest
from rtgym_ros.drone.flight import Episode, fly_episode
from rtgym_ros.drone.policies import Policy, Predictor, hover, make_p_controller, make_random
from rtgym_ros.drone.report import LiveLines, episode_table, timing_table
from rtgym_ros.drone.task import TIME_STEP_DURATION
from rtgym_ros.ros.arguments import own_arguments
from rtgym_ros.ros.drone_process import DroneProcess

POLICIES: dict[str, Callable[[argparse.Namespace], Policy]] = {
    "p_controller": lambda options: make_p_controller(options.gain),
    "predictor": lambda options: Predictor(),
    "random": lambda options: make_random(options.seed),
    "hover": lambda options: hover,
}
STORY = "p_controller,predictor"
"""Flown without --policy: what delays do to the tutorial's controller, and what the action buffer does about it."""

_DISCOVERY_S = 0.5
"""How long to look for a drone that is flying already (s)."""
_DRONE_START_S = 15.0
_LARGEST_SEED = 2**31 - 1
"""The drone's parameter is an int32."""


def main() -> int:
    """Run the tutorial; return 0, 1 on failure, 2 for bad input, 128 + the signal where one ended it."""
    logging.basicConfig(format="drone_tutorial: %(message)s")
    warnings.simplefilter("ignore", TimeStepTimeoutWarning)  # the tables count them
    try:
        flight = _Flight(_parse(own_arguments(sys.argv)), Console())
    except ConfigError as error:
        return _fail(error, 2)
    stop = _Interrupt()
    code = 0
    try:
        flight.run()
    except KeyboardInterrupt:
        code = 128 + stop.number
    except ConfigError as error:
        return _fail(error, 2)
    except _DroneEndedError as error:
        return error.exit_code  # it has said why
    except RtgymError as error:
        code = _fail(error, 1)
    stop.ignore()
    return flight.report() or code


class _Flight:
    """One run of the tutorial: the processes and nodes it needs, and the episodes flown so far."""

    def __init__(self, options: argparse.Namespace, console: Console) -> None:
        self._options = options
        self._console = console
        self._episodes: list[Episode] = []
        self._env: Any = None

    def run(self) -> None:
        with ExitStack() as stack:
            self._env = stack.enter_context(_make_env())
            self._find_or_start_drone(stack)
            lines = stack.enter_context(LiveLines(self._console))
            for name in self._options.policy:
                policy = POLICIES[name](self._options)
                for number in range(1, self._options.episodes + 1):
                    seed = self._options.seed + number
                    fly_episode(self._env, name, policy, number, seed, self._begin(lines), lines.step)

    def report(self) -> int:
        """Print the tables and write the picture; return 0, or 1 where that failed."""
        if not self._episodes:
            return 0
        durations = self._env.unwrapped.benchmarks()["deltas"]
        self._console.print(episode_table(self._episodes))
        self._console.print(timing_table(durations, self._episodes))
        clock = self._env.unwrapped.clock
        self._console.print(
            f"{clock.time_steps} time-steps of {1e3 * TIME_STEP_DURATION:g} ms, {clock.overruns} overruns, "
            f"{clock.timeouts} timeouts; repeat with --seed {self._options.seed}",
            highlight=False,
        )
        if self._options.plot is None:
            return 0
        from rtgym_ros.drone.plot import save_plot

        try:
            save_plot(self._options.plot, self._episodes, durations["time_step_duration"], TIME_STEP_DURATION)
        except OSError as error:
            return _fail(f"--plot: {error}", 1)
        self._console.print(f"picture: {self._options.plot}", highlight=False)
        return 0

    def _begin(self, lines: LiveLines) -> Callable[[Episode], None]:
        def begin(episode: Episode) -> None:
            self._episodes.append(episode)
            lines.begin(episode)

        return begin

    def _find_or_start_drone(self, stack: ExitStack) -> None:
        node = self._env.unwrapped.interface.node
        flying = _wait_until(lambda: node.count_publishers("pose") > 0, _DISCOVERY_S)
        if flying or self._options.attach:
            self._console.print("flying the drone that is running already" if flying else "waiting for a drone")
            return
        use_sim_time = "true" if node.get_parameter("use_sim_time").value else "false"
        drone = stack.enter_context(
            DroneProcess(
                node.get_namespace(),
                (f"seed:={self._options.seed}", f"use_sim_time:={use_sim_time}"),
                self._options.params_file,
            )
        )
        if not _wait_until(lambda: node.count_publishers("pose") > 0 or drone.exit_code is not None, _DRONE_START_S):
            raise InterfaceTimeoutError(f"drone_node has not published a pose for {_DRONE_START_S:g} s")
        if drone.exit_code is not None:
            raise _DroneEndedError(drone.exit_code)


class _DroneEndedError(RtgymError):
    """The drone's process ended before the flight."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"drone_node ended with exit code {exit_code}")
        self.exit_code = exit_code if exit_code > 0 else 1


class _Interrupt:
    """The first SIGINT or SIGTERM raises KeyboardInterrupt; what comes after it cannot keep us from landing."""

    def __init__(self) -> None:
        self.number = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._raise)

    def ignore(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        self.ignore()
        self.number = number
        raise KeyboardInterrupt


def _make_env() -> Any:
    return gymnasium.make(
        "rtgym_ros/Drone-v0",
        node_name="drone_tutorial",
        config={"benchmark": True, "benchmark_type": "trace"},
    )


def _wait_until(condition: Callable[[], bool], timeout: float) -> bool:
    deadline = monotonic() + timeout
    while not condition():
        if monotonic() > deadline:
            return False
        sleep(0.01)
    return True


def _fail(error: Any, code: int) -> int:
    print(f"drone_tutorial: {error}", file=sys.stderr)
    return code


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> Any:
        self.exit(2, f"{self.prog}: {message}\n")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser("drone_tutorial", description=__doc__)
    parser.add_argument(
        "--episodes", type=_count, default=5, metavar="N", help="episodes a policy (default: %(default)s)"
    )
    parser.add_argument(
        "--policy",
        type=_policies,
        default=STORY,
        metavar="NAME[,NAME]",
        help=f"one or more of {', '.join(POLICIES)}, flown to the same targets (default: %(default)s)",
    )
    parser.add_argument("--gain", type=_gain, default=20.0, help="of the p_controller, in 1/s (default: %(default)g)")
    parser.add_argument("--seed", type=_seed, help="of the targets and the drone's delays (default: a new one)")
    parser.add_argument("--attach", action="store_true", help="never start a drone: wait for one that runs")
    parser.add_argument("--params-file", metavar="FILE", help="parameters for the drone that is started (YAML)")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="write trajectories and histograms")
    options = parser.parse_args(arguments)
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


def _gain(text: str) -> float:
    try:
        gain = float(text)
    except ValueError:
        gain = -1.0
    if not 0 <= gain < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number >= 0, got {text!r}")
    return gain


def _policies(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in POLICIES:
            hint = nearest(name, POLICIES)
            raise argparse.ArgumentTypeError(f"must be among {', '.join(POLICIES)}, got {name!r}{hint}")
    return names


if __name__ == "__main__":
    sys.exit(main())
