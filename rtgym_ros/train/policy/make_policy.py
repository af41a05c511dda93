"""Policies by the name that the configuration gives them. A file of weights never chooses what code runs."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.train.locate import locate
from rtgym_ros.train.policy import onnx_policy
from rtgym_ros.train.policy.policy import Policy
from rtgym_ros.train.policy.squashed_gaussian_mlp import KIND, SquashedGaussianMlp

_KINDS = {KIND: SquashedGaussianMlp, onnx_policy.KIND: onnx_policy.OnnxPolicy}


def make_policy(
    name: str, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], rng: np.random.Generator
) -> Policy:
    """Return a policy without weights.

    Args:
        name: ``"squashed_gaussian_mlp"``, ``"onnx"``, or ``"package.module:Class"`` of a subclass of Policy.
        observation_space: of the environment, after preprocessing.
        action_space: of the environment.
        rng: the source of exploration.

    Raises:
        ConfigError: there is no such policy, or it cannot be used with these spaces.
    """
    kind = _KINDS.get(name) or locate(name, "worker.policy")
    policy: Policy = kind(observation_space, action_space, rng)
    return policy
