"""The tutorial's flight: its drone, its environment, its episodes, and the report of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from rclpy.node import Node
from rich.console import Console

import rtgym_ros  # noqa: F401 (registers the environments)
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.nodes.robot_process import RobotProcess
from rtgym_ros.nodes.tutorial_drone import TutorialDrone
from rtgym_ros.nodes.tutorial_options import CONTRACT, ENV_NODE, POLICIES
from rtgym_ros.nodes.tutorial_window import FlightWindow
from rtgym_ros.policies.file_policy import FilePolicy
from rtgym_ros.policies.load import NUMPY, load_policy
from rtgym_ros.robots.drone.flight import Episode, fly_episode
from rtgym_ros.robots.drone.plot import save_plot
from rtgym_ros.robots.drone.report import LiveLines, episode_table, timing_table
from rtgym_ros.robots.drone.task import TIME_STEP_DURATION
from rtgym_ros.robots.frame_window import can_open_windows
from rtgym_ros.ros.session import RosSession
from rtgym_ros.wrappers.record import Record

_NODE = "drone_tutorial"
_START_S = 30.0
"""How long env_node may take to host a drone that has just been started (s)."""


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
        if options.view and not self._view_in_window and not self._console.is_interactive:
            raise ConfigError("--view needs a display (is DISPLAY set?) or a terminal")

    def run(self) -> None:
        """Fly, and close everything again, whatever happens.

        Raises:
            RtgymError: the drone cannot be reached, or a parameter cannot be used.
        """
        with ExitStack() as stack:
            drone = TutorialDrone(self._options)
            node = self._begin_through_node(stack, drone) if self._through_node else self._begin_here(stack, drone)
            self._console.print(
                f"seed {self._options.seed}, {self._options.episodes} episodes a policy", highlight=False
            )
            if self._console.is_terminal:  # for who wants to see its topics meanwhile
                where = node.get_namespace()
                self._console.print(f"topics in {where}", highlight=False, soft_wrap=True)
            window = stack.enter_context(FlightWindow()) if self._view_in_window else None
            lines = stack.enter_context(LiveLines(self._console, picture=self._options.view and window is None))
            stack.push(drone.explain)
            for name in self._options.policy:
                learned = stack.enter_context(self._load(name)) if name.endswith(NUMPY) else None
                policy = POLICIES[name](self._options) if learned is None else learned.act
                for number in range(1, self._options.episodes + 1):
                    seed = self._options.seed + number
                    if learned is not None:
                        learned.reset()
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
        durations = self._durations()
        self._console.print(episode_table(self._episodes))
        self._console.print(timing_table(durations, self._episodes))
        time_steps, overruns, timeouts = self._counts()
        self._console.print(
            f"{time_steps} time-steps of {1e3 * TIME_STEP_DURATION:g} ms, {overruns} overruns, {timeouts} timeouts; "
            f"repeat with --seed {self._options.seed}",
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

    @property
    def _through_node(self) -> bool:
        return bool(self._options.host == "node")

    def _begin_here(self, stack: ExitStack, drone: TutorialDrone) -> Node:
        """Make the environment, with the clock in this process, and start the drone; return the environment's node."""
        config = {"benchmark": True, "benchmark_type": "trace"}
        self._env = self._recorded(stack, _make_env(config=config, guard=self._options.guard))
        node: Node = self._env.unwrapped.interface.node
        drone.start(stack, *_where(node))
        stack.callback(self._env.close)  # before the drone's process ends: it has to hear that it is to hover
        drone.find(node)
        return node

    def _begin_through_node(self, stack: ExitStack, drone: TutorialDrone) -> Node:
        """Start the drone and env_node, or find them, and the agent's side; return the node of that."""
        session = RosSession(_NODE)
        try:
            namespace, use_sim_time = _where(session.node)
            drone.start(stack, namespace, use_sim_time)
            drone.find(session.node)
        finally:
            session.close()
        if not self._options.attach:
            stack.enter_context(RobotProcess("env_node", namespace, (use_sim_time,), arguments=[CONTRACT]))
        env = _make_env(node=f"{namespace.rstrip('/')}/{ENV_NODE}", node_timeout=_START_S)
        self._env = self._recorded(stack, env)
        node: Node = self._env.unwrapped.node
        return node

    def _load(self, path: str) -> FilePolicy:
        try:
            return load_policy(path, self._env)
        except ConfigError as error:
            raise ConfigError(f"--policy {error}") from error

    def _recorded(self, stack: ExitStack, env: Any) -> Any:
        """Have the environment closed in the end, and its time-steps recorded where that is asked for."""
        stack.callback(env.close)
        if self._options.record is None:
            return env
        try:
            return stack.enter_context(Record(env, self._options.record))
        except OSError as error:
            raise ConfigError(f"--record: {error}") from error

    def _durations(self) -> dict[str, np.ndarray]:
        """Return what the environment measured (s, by name): more of it where its clock is in this process."""
        if self._through_node:
            steps = [np.diff(episode.starts) for episode in self._episodes]
            return {"time_step_duration": np.concatenate(steps)}
        trace = self._env.unwrapped.benchmarks()
        return {**trace["deltas"], "time_step_duration": np.diff(trace["clock"]["start_send_control"])}

    def _counts(self) -> tuple[int, int, int]:
        """Return how many time-steps, overruns and timeouts there were."""
        if self._through_node:
            episodes = self._episodes
            return (
                sum(e.time_steps for e in episodes),
                sum(e.overruns for e in episodes),
                sum(e.timeouts for e in episodes),
            )
        clock = self._env.unwrapped.clock
        return clock.time_steps, clock.overruns, clock.timeouts

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


def _make_env(**arguments: Any) -> Any:
    return gymnasium.make("rtgym_ros/Drone-v0", node_name=_NODE, **arguments)


def _where(node: Node) -> tuple[str, str]:
    """Return the namespace of a node, and ``use_sim_time`` as an override for others."""
    use_sim_time = "true" if node.get_parameter("use_sim_time").value else "false"
    return node.get_namespace(), f"use_sim_time:={use_sim_time}"
