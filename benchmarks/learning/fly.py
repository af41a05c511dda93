"""``python -m benchmarks.learning.fly RUN EPISODES``: fly a run's saved policy; prints the episodes as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from rtgym_ros.train.config import load_config
from rtgym_ros.train.policy.make_policy import make_policy
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.worker.make_env import make_env


def main(run: Path, episodes: int) -> int:
    """Fly."""
    config = load_config(run / "config.yaml")
    robot = subprocess.Popen(config.worker.robot) if config.worker.robot else None
    try:
        env = make_env(config.environment)
        try:
            policy = make_policy(
                config.worker.policy, env.observation_space, env.action_space, np.random.default_rng(1)
            )
            policy.adopt(PolicyWeights.load(run / "policy.safetensors"))
            print(json.dumps([_episode(env, policy, 1000 + number) for number in range(episodes)]))
        finally:
            env.close()
    finally:
        if robot is not None:
            robot.terminate()
            robot.wait()
    return 0


def _episode(env, policy, seed):
    observation, _ = env.reset(seed=seed)
    total, length, done, terminated = 0.0, 0, False, False
    while not done:
        observation, reward, terminated, truncated, _ = env.step(policy.act(observation, deterministic=True))
        total, length, done = total + float(reward), length + 1, terminated or truncated
    return {"return": total, "length": length, "terminated": bool(terminated)}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
