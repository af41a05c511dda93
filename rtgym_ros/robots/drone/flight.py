"""Flying episodes of the drone's environment, and what to remember of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rtgym_ros.robots.drone.policies import Observation, Policy


@dataclass
class Episode:
    """One flight, complete or as far as it got.

    Attributes:
        policy: name of the pilot.
        number: of the episode, from 1.
        target: x, y (m).
        positions: observed x, y (m), one row a capture, that of ``reset`` first.
        observation_ages: at each capture of a time-step (s); empty where the environment does not tell.
        episode_return: sum of the rewards (m).
        reached: whether it ended at the target.
        finished: False where it was cut short.
        timeouts: time-steps of it that began later than the elasticity allows.
        overruns: time-steps of it that began late, within the elasticity.
        starts: when each began (s of the environment's clock); empty where the environment does not tell.
    """

    policy: str
    number: int
    target: tuple[float, float]
    positions: list[tuple[float, float]]
    observation_ages: list[float] = field(default_factory=list)
    episode_return: float = 0.0
    reached: bool = False
    finished: bool = False
    timeouts: int = 0
    overruns: int = 0
    starts: list[float] = field(default_factory=list)

    @property
    def time_steps(self) -> int:
        """How many time-steps were flown."""
        return len(self.positions) - 1

    @property
    def distance(self) -> float:
        """From the last observed position to the target (m)."""
        return float(np.hypot(self.positions[-1][0] - self.target[0], self.positions[-1][1] - self.target[1]))


def fly_episode(
    env: Any,
    name: str,
    policy: Policy,
    number: int,
    seed: int,
    begin: Callable[[Episode], None],
    step: Callable[[Episode], None],
) -> None:
    """Fly one episode with ``policy`` on ``env``, a drone environment.

    Args:
        env: ``rtgym_ros/Drone-v0``.
        name: of the policy.
        policy: the pilot.
        number: of the episode, from 1.
        seed: of the target.
        begin: called with the episode when it begins; the same object is filled while it lasts.
        step: called with it after every time-step, while the drone moves: it must be quick.
    """
    observation, _ = env.reset(seed=seed)
    target = (float(observation[2][0]), float(observation[3][0]))
    episode = Episode(name, number, target, [_position(observation)])
    begin(episode)
    done = False
    while not done:
        observation, reward, terminated, truncated, info = env.step(policy(observation))
        done = terminated or truncated
        episode.positions.append(_position(observation))
        episode.episode_return += float(reward)
        episode.reached, episode.finished = terminated, done
        episode.overruns += info.get("time_step_overrun") == 1
        episode.timeouts += info.get("time_step_timed_out") == 1
        if "time_step_start" in info:
            episode.starts.append(float(info["time_step_start"]))
        if "observation_delay" in info:
            episode.observation_ages.append(info["observation_delay"])
        step(episode)


def _position(observation: Observation) -> tuple[float, float]:
    return float(observation[0][0]), float(observation[1][0])
