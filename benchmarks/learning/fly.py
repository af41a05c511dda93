"""``python -m benchmarks.learning.fly RUN EPISODES``: fly a run's saved policy; prints the episodes as JSON."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path

from rtgym_ros.policies.policy import make_policy
from rtgym_ros.train.config_file import load_config
from rtgym_ros.train.worker.make_env import make_env
from rtgym_ros.train.worker.standalone import running_robot


def main(run: Path, episodes: int) -> int:
    """Fly."""
    config = load_config(run / "config.yaml")
    with running_robot(config.worker.robot), closing(make_env(config.environment)) as env:
        policy = make_policy(
            config.worker.policy, env.observation_space, env.action_space, file=run / "policy.safetensors"
        )
        print(json.dumps([_episode(env, policy, 1000 + number) for number in range(episodes)]))
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
