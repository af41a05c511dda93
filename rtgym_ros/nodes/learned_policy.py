"""A policy that was learned, flown beside the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.robots.drone.policies import Policy


def load_policy(path: str, env: gymnasium.Env[Any, Any]) -> Policy:
    """Return the policy in a file, without exploration, as plain NumPy.

    Args:
        path: of a file that ``./dev train`` or ``train_trainer`` made.
        env: that is flown.

    Raises:
        ConfigError: the file cannot be read, or its policy is for another environment.
    """
    try:
        from rtgym_ros.train.errors import ProtocolError
        from rtgym_ros.train.policy.policy_file import PolicyWeights
        from rtgym_ros.train.policy.squashed_gaussian_mlp import SquashedGaussianMlp
    except ImportError as error:
        raise ConfigError(f"--policy {path}: {error.name} is not installed: pip install 'rtgym_ros[worker]'") from error
    policy = SquashedGaussianMlp(env.observation_space, env.action_space, np.random.default_rng())
    try:
        policy.adopt(PolicyWeights.load(Path(path)))
    except (ProtocolError, OSError) as error:
        raise ConfigError(f"--policy {path}: {error}") from error
    return lambda observation: policy.act(observation, True)
