"""One training run: SAC of Stable-Baselines3 on one case. `python -m benchmarks.delayed.run_case CASE_JSON FILE`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from benchmarks.delayed.cases import Case, make_env

_EVALUATIONS = 10
_EPISODES = 5


def train(case: Case) -> dict[str, Any]:
    """Train, and return the mean return of deterministic episodes along the way and at the end."""
    import torch
    from stable_baselines3 import SAC
    from stable_baselines3.common.callbacks import BaseCallback

    torch.set_num_threads(1)
    training, evaluation = (make_env(case.task, case.condition, case.method) for _ in range(2))
    curve: list[tuple[int, float]] = []
    episode_returns: list[tuple[int, float]] = []

    class Watch(BaseCallback):
        def _on_step(self) -> bool:
            for info in self.locals["infos"]:
                if "episode" in info:
                    episode_returns.append((self.num_timesteps, float(info["episode"]["r"])))
            if self.num_timesteps % max(case.steps // _EVALUATIONS, 1) == 0:
                curve.append((self.num_timesteps, _evaluate(self.model, evaluation, 10_000 + case.seed, _EPISODES)))
            return True

    started = process_time()
    model = SAC(
        "MlpPolicy",
        training,
        seed=case.seed,
        batch_size=case.batch,
        train_freq=case.train_freq,
        learning_starts=min(1000, case.steps // 4),
        policy_kwargs={"net_arch": [case.net, case.net]},
        device="cpu",
    )
    model.learn(case.steps, callback=Watch())
    final = [_evaluate(model, evaluation, 20_000 + 100 * case.seed + number, 1) for number in range(20)]
    training.close()
    evaluation.close()
    return {
        "case": case.as_dict(),
        "curve": curve,
        "episodes": episode_returns,
        "final": final,
        "cpu_seconds": process_time() - started,
    }


def _evaluate(model: Any, env: Any, seed: int, episodes: int) -> float:
    returns = []
    for episode in range(episodes):
        observation, _ = env.reset(seed=seed + episode)
        total, over = 0.0, False
        while not over:
            action, _ = model.predict(observation, deterministic=True)
            observation, reward, terminated, truncated, _ = env.step(action)
            total += float(reward)
            over = terminated or truncated
        returns.append(total)
    return float(np.mean(returns))


def main(case_json: str, file: str) -> None:
    result = train(Case(**json.loads(case_json)))
    path = Path(file)
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    unfinished.write_text(json.dumps(result) + "\n")
    unfinished.replace(path)  # a file that is there is whole


if __name__ == "__main__":
    main(*sys.argv[1:])
