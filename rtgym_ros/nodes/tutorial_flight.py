"""The tutorial's flight: its drone, its environment, its episodes, and the report of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from rich.console import Console

import rtgym_ros  # noqa: F401 (registers the environments)
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.nodes.learned_policy import load_policy
from rtgym_ros.nodes.tutorial_drone import TutorialDrone
from rtgym_ros.nodes.tutorial_options import LEARNED, POLICIES
from rtgym_ros.nodes.tutorial_window import FlightWindow
from rtgym_ros.robots.drone.flight import Episode, fly_episode
from rtgym_ros.robots.drone.plot import save_plot
from rtgym_ros.robots.drone.report import LiveLines, episode_table, timing_table
from rtgym_ros.robots.drone.task import TIME_STEP_DURATION
from rtgym_ros.robots.frame_window import can_open_windows
from rtgym_ros.wrappers.record import Record


class TutorialFlight:
    """One run of the tutorial: the processes and nodes it needs, and the episodes flown so far.

    Args:
        options: of the command line.

    Raises:
        ConfigError: there is neither a window nor a terminal to show the flight in.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._console = Console()
        self._episodes: list[Episode] = []
        self._env: Any = None
        self._view_in_window = options.view and can_open_windows()
        if options.view and not self._view_in_window and not self._console.is_terminal:
            raise ConfigError("--view needs a display (is DISPLAY set?) or a terminal")

    def run(self) -> None:
        """Fly, and close everything again, whatever happens.

        Raises:
            RtgymError: the drone cannot be reached, or a parameter cannot be used.
        """
        with ExitStack() as stack:
            self._env = stack.enter_context(_make_env(self._options.record, self._options.guard))
            drone = TutorialDrone(self._env.unwrapped.interface.node, self._options)
            drone.start_or_find(stack)
            stack.callback(self._env.close)  # before the drone's process ends: it has to hear that it is to hover
            self._console.print(
                f"seed {self._options.seed}, {self._options.episodes} episodes a policy", highlight=False
            )
            if self._console.is_terminal:  # for who wants to see its topics meanwhile
                where = self._env.unwrapped.interface.node.get_namespace()
                self._console.print(f"topics in {where}", highlight=False, soft_wrap=True)
            window = stack.enter_context(FlightWindow()) if self._view_in_window else None
            lines = stack.enter_context(LiveLines(self._console, picture=self._options.view and window is None))
            stack.push(drone.explain)
            for name in self._options.policy:
                learned = name.endswith(LEARNED)
                policy = load_policy(name, self._env) if learned else POLICIES[name](self._options)
                for number in range(1, self._options.episodes + 1):
                    seed = self._options.seed + number
                    fly_episode(
                        self._env,
                        Path(name).stem,
                        policy,
                        number,
                        seed,
                        self._begin(lines),
                        _step(lines, drone, window),
                    )

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
        if self._options.record is not None:
            state = self._env.recorder.state
            missing = f", {state.dropped} missing" if state.dropped else ""
            self._console.print(
                f"recording: {self._options.record}, {state.written} time-steps{missing}",
                highlight=False,
                soft_wrap=True,
            )
        if self._options.plot is not None:
            for path in save_plot(
                self._options.plot, self._episodes, durations["time_step_duration"], TIME_STEP_DURATION
            ):
                self._console.print(f"picture: {path}", highlight=False, soft_wrap=True)

    def _begin(self, lines: LiveLines) -> Callable[[Episode], None]:
        def begin(episode: Episode) -> None:
            self._episodes.append(episode)
            lines.begin(episode)

        return begin


def _step(lines: LiveLines, drone: TutorialDrone, window: FlightWindow | None) -> Callable[[Episode], None]:
    def step(episode: Episode) -> None:
        drone.check(episode.observation_ages[-1] if episode.observation_ages else None)
        lines.step(episode)
        if window is not None:
            window.step(episode)

    return step


def _make_env(record: Path | None, guard: bool) -> Any:
    env: Any = gymnasium.make(
        "rtgym_ros/Drone-v0",
        node_name="drone_tutorial",
        guard=guard,
        config={"benchmark": True, "benchmark_type": "trace"},
    )
    if record is None:
        return env
    try:
        return Record(env, record)
    except OSError as error:
        env.close()
        raise ConfigError(f"--record: {error}") from error
