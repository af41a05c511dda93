"""The robots that come with the package and a contract: what starts, flies and draws each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rtgym_ros.robots.arm import plot as arm_plot
from rtgym_ros.robots.arm.policy import move_to_target
from rtgym_ros.robots.drive import plot as drive_plot
from rtgym_ros.robots.drive.policy import drive_to_target

Observation = Mapping[str, Any]


@dataclass
class Flight:
    """One episode, a row a time-step.

    Attributes:
        number: of the episode, from 1.
        observations: as the policy got them.
        commands: the executed actions.
        episode_return: sum of the rewards.
        is_success: whether the task says so.
        finished: whether the episode came to its end.
        timeouts: time-steps that timed out.
    """

    number: int
    observations: list[Observation] = field(default_factory=list)
    commands: list[np.ndarray] = field(default_factory=list)
    episode_return: float = 0.0
    is_success: bool = False
    finished: bool = False
    timeouts: int = 0


@dataclass(frozen=True)
class DemoRobot:
    """A robot that a demo flies.

    Attributes:
        contract: its name.
        program: its node's.
        policy: from an observation (a dict of parts) to an action.
        plot: draws flights into a file: path, flights, time-step (s).
    """

    contract: str
    program: str
    policy: Callable[[Observation], np.ndarray]
    plot: Callable[[Path, Sequence[Flight], float], None]


def _plot_drive(path: Path, flights: Sequence[Flight], time_step: float) -> None:
    high = np.array((0.22, 2.84))  # of the contract: what an action of 1 stands for (m/s, rad/s)
    drives = [
        drive_plot.DrivePath(
            time_step * np.arange(len(flight.commands)),
            np.array([seen["pose"] for seen in flight.observations]),
            np.array([seen["speed"] for seen in flight.observations]),
            high * np.array(flight.commands),
            flight.observations[0]["target"],
            f"episode {flight.number}",
        )
        for flight in flights
        if flight.commands
    ]
    drive_plot.save_plot(path, drives)


def _plot_arm(path: Path, flights: Sequence[Flight], time_step: float) -> None:
    """Draw the episodes one after another."""
    flights = [flight for flight in flights if flight.commands]
    positions = np.concatenate([[seen["joints"] for seen in flight.observations] for flight in flights])
    targets = np.concatenate([[seen["target"] for seen in flight.observations] for flight in flights])
    # A command is the sum of the relative actions; each episode begins where the joints are.
    commands = np.concatenate(
        [flight.observations[0]["joints"] + 0.05 * np.cumsum(np.array(flight.commands), axis=0) for flight in flights]
    )
    arm_plot.save_plot(path, time_step * np.arange(len(positions)), positions, commands, targets)


ROBOTS = {
    "drive": DemoRobot("diff_drive", "drive_node", drive_to_target, _plot_drive),
    "arm": DemoRobot("arm", "arm_node", move_to_target, _plot_arm),
}
