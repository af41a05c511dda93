"""The tutorial's flight: its drone, its environment, its episodes, and the report of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import gymnasium
import numpy as np
from rich.console import Console

import rtgym_ros  # noqa: F401 (registers the environments)
from rtgym_ros.core.errors import ConfigError, InterfaceTimeoutError, RtgymError
from rtgym_ros.nodes.drone_process import DroneProcess
from rtgym_ros.nodes.learned_policy import load_policy
from rtgym_ros.nodes.tutorial_options import LEARNED, POLICIES
from rtgym_ros.robots.drone.flight import Episode, fly_episode
from rtgym_ros.robots.drone.plot import save_plot
from rtgym_ros.robots.drone.report import LiveLines, episode_table, timing_table
from rtgym_ros.robots.drone.task import TIME_STEP_DURATION

_DISCOVERY_S = 0.5
"""How long to look for a drone that is flying already (s)."""

_DRONE_START_S = 15.0
"""How long a drone that was started may take to publish its first pose (s)."""


class TutorialFlight:
    """One run of the tutorial: the processes and nodes it needs, and the episodes flown so far."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._console = Console()
        self._episodes: list[Episode] = []
        self._env: Any = None

    def run(self) -> None:
        """Fly, and close everything again, whatever happens.

        Raises:
            RtgymError: the drone cannot be reached, or a parameter cannot be used.
        """
        with ExitStack() as stack:
            self._env = stack.enter_context(_make_env())
            self._find_or_start_drone(stack)
            stack.callback(self._env.close)  # before the drone's process ends: it has to hear that it is to hover
            self._console.print(
                f"seed {self._options.seed}, {self._options.episodes} episodes a policy", highlight=False
            )
            lines = stack.enter_context(LiveLines(self._console))
            for name in self._options.policy:
                learned = name.endswith(LEARNED)
                policy = load_policy(name, self._env) if learned else POLICIES[name](self._options)
                for number in range(1, self._options.episodes + 1):
                    seed = self._options.seed + number
                    fly_episode(self._env, Path(name).stem, policy, number, seed, self._begin(lines), lines.step)

    def report(self) -> None:
        """Print the tables and write the picture.

        Raises:
            OSError: the picture cannot be written.
        """
        if not self._episodes:
            return
        trace = self._env.unwrapped.benchmarks()
        durations = {**trace["deltas"], "time_step_duration": np.diff(trace["clock"]["start_send_control"])}
        self._console.print(episode_table(self._episodes))
        self._console.print(timing_table(durations, self._episodes))
        clock = self._env.unwrapped.clock
        self._console.print(
            f"{clock.time_steps} time-steps of {1e3 * TIME_STEP_DURATION:g} ms, {clock.overruns} overruns, "
            f"{clock.timeouts} timeouts; repeat with --seed {self._options.seed}",
            highlight=False,
        )
        if self._options.plot is not None:
            save_plot(self._options.plot, self._episodes, durations["time_step_duration"], TIME_STEP_DURATION)
            self._console.print(f"picture: {self._options.plot}", highlight=False, soft_wrap=True)

    def _begin(self, lines: LiveLines) -> Callable[[Episode], None]:
        def begin(episode: Episode) -> None:
            self._episodes.append(episode)
            lines.begin(episode)

        return begin

    def _find_or_start_drone(self, stack: ExitStack) -> None:
        node = self._env.unwrapped.interface.node
        flying = _wait_until(lambda: node.count_publishers("pose") > 0, _DISCOVERY_S)
        if flying or self._options.attach:
            if self._options.params_file is not None:
                raise ConfigError("--params-file is for a drone that is started here, and this one is running already")
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
            raise DroneEndedError(drone.exit_code)


class DroneEndedError(RtgymError):
    """The drone's process ended before the flight."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"drone_node ended with exit code {exit_code}")
        self.exit_code = exit_code if exit_code > 0 else 1


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
