"""Policies by the name that the configuration gives them. A file of weights never chooses what code runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.locate import locate
from rtgym_ros.train.policy import onnx_policy
from rtgym_ros.train.policy.policy import Policy
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.policy.squashed_gaussian_mlp import KIND, SquashedGaussianMlp

_KINDS = {KIND: SquashedGaussianMlp, onnx_policy.KIND: onnx_policy.OnnxPolicy}


def make_policy(
    name: str,
    observation_space: spaces.Space[Any],
    action_space: spaces.Space[Any],
    rng: np.random.Generator | None = None,
    file: Path | None = None,
) -> Policy:
    """Return a policy.

    Args:
        name: ``"squashed_gaussian_mlp"``, ``"onnx"``, or ``"package.module:Class"`` of a subclass of Policy.
        observation_space: of the environment, after preprocessing.
        action_space: of the environment.
        rng: the source of exploration.
        file: its weights; None for none.

    Raises:
        ConfigError: there is no such policy, it cannot be used with these spaces, or the file cannot be read.
        ProtocolError: the weights do not fit.
    """
    kind = _KINDS.get(name) or locate(name, "worker.policy")
    policy: Policy = kind(observation_space, action_space, rng or np.random.default_rng())
    if file is not None:
        try:
            policy.adopt(PolicyWeights.load(file))
        except OSError as error:
            raise ConfigError(f"{file}: {error.strerror}") from error
    return policy
