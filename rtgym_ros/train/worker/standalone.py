"""A worker without a server: it flies with a policy file, or measures its environment."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import gymnasium

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.locate import locate_program
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.policies.policy import Policy, make_policy
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.supervision.supervisor import die_with_parent
from rtgym_ros.train.worker.make_env import make_env

_STOP_TIMEOUT_S = 5.0


def fly(config: TrainConfig, policy_file: Path, episodes: int | None) -> None:
    """Fly deterministically with the weights of a file until a signal comes, or for so many episodes: a line for each.

    Raises:
        ConfigError: the configuration is wrong or the file is not there.
        WeightsError: the weights do not fit.
    """
    with StopSignal() as stop, running_robot(config.worker.robot), closing(make_env(config.environment)) as env:
        policy = make_policy(config.worker.policy, env.observation_space, env.action_space, file=policy_file)
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
            print(f"episode {number}: return {episode_return:.3f}, {steps} time-steps, {end}", flush=True)


def measure(config: TrainConfig, steps: int) -> None:
    """Print how long things took with the untrained policy; errors as of :func:`run_env_benchmark`."""
    with running_robot(config.worker.robot), closing(make_env(config.environment)) as env:
        policy = make_policy(config.worker.policy, env.observation_space, env.action_space)
        for name, value in run_env_benchmark(env, policy, steps).items():
            print(f"{name}: {value}")


def run_env_benchmark(env: gymnasium.Env[Any, Any], policy: Policy, steps: int) -> dict[str, Any]:
    """Make so many time-steps and return how long things took in the environment (``benchmarks()``, s).

    Raises:
        ConfigError: the environment measures nothing.
        StateError: it does not measure: its configuration needs ``benchmark``.
    """
    inner: Any = env.unwrapped
    if not hasattr(inner, "benchmarks"):
        raise ConfigError(f"{type(inner).__name__} has no benchmarks(): use a RealTimeEnv")
    is_over = True
    for _ in range(steps):
        if is_over:
            observation, _ = env.reset()
            policy.reset()
        observation, _, terminated, truncated, _ = env.step(policy.act(observation, False))
        is_over = terminated or truncated
    result: dict[str, Any] = inner.benchmarks()
    return result


@contextmanager
def running_robot(command: Sequence[str]) -> Iterator[None]:
    """Run ``worker.robot`` while entered; nothing where the robot runs by itself. In the main thread.

    Raises:
        ConfigError: the command cannot be started.
    """
    if not command:
        yield
        return
    prepare = die_with_parent(signal.SIGKILL)
    try:
        process = subprocess.Popen(
            locate_program(command), stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=prepare
        )
    except OSError as error:
        raise ConfigError(f"worker.robot {' '.join(command)!r} cannot be started: {error.strerror}") from error
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
