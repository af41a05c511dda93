"""A worker without a server: it flies with a policy file, or measures its environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.worker.make_env import make_env, make_worker_policy
from rtgym_ros.train.worker.robot import running_robot
from rtgym_ros.train.worker.rollout_worker import run_env_benchmark


def fly(config: TrainConfig, policy_file: Path, episodes: int | None, say: Callable[[str], None]) -> None:
    """Fly deterministically with the weights of a file, until a signal comes or all episodes are done.

    Args:
        config: of the run; nothing of it that concerns a server is used.
        policy_file: the weights.
        episodes: how many; None for no end.
        say: gets a line for each.

    Raises:
        ConfigError: the configuration is wrong or the file is not there.
        ProtocolError: the weights do not fit.
    """
    with StopSignal() as stop, running_robot(config.worker.robot):
        env = make_env(config.environment)
        try:
            policy = make_worker_policy(config.worker, env, policy_file)
            number = 0
            while not stop.is_set and number != episodes:
                number += 1
                observation, _ = env.reset()
                policy.reset()
                steps, episode_return, end = 0, 0.0, "stopped"
                while not stop.is_set and end == "stopped":
                    observation, reward, terminated, truncated, _ = env.step(policy.act(observation, True))
                    steps, episode_return = steps + 1, episode_return + float(reward)
                    if terminated or truncated or steps == config.worker.max_samples_per_episode:
                        end = "terminated" if terminated else "truncated"
                say(f"episode {number}: return {episode_return:.3f}, {steps} time-steps, {end}")
        finally:
            env.close()


def measure(config: TrainConfig, steps: int, say: Callable[[str], None]) -> None:
    """Make so many time-steps with the untrained policy and tell how long things took.

    Raises:
        ConfigError: the configuration is wrong, or the environment measures nothing.
        StateError: the environment does not measure: its configuration needs ``benchmark``.
    """
    with running_robot(config.worker.robot):
        env = make_env(config.environment)
        try:
            for name, value in run_env_benchmark(env, make_worker_policy(config.worker, env), steps).items():
                say(f"{name}: {value}")
        finally:
            env.close()
