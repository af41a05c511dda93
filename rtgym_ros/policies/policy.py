"""What a rollout worker asks of a policy, and policies by the name that the configuration gives them.

A file of weights never chooses what code runs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.locate import locate
from rtgym_ros.policies.weights import PolicyWeights

_KINDS = {
    "squashed_gaussian_mlp": "rtgym_ros.policies.squashed_gaussian:SquashedGaussianMlp",
    "onnx": "rtgym_ros.policies.squashed_gaussian:OnnxPolicy",
}


class Policy(ABC):
    """From an observation to an action, quickly: the robot is waiting.

    A policy with a memory (recurrent, frame stacks) forgets it in :meth:`reset`. One that computes several actions at
    once (chunks) hands them out one a time-step, and begins a new chunk after :meth:`reset`.

    Args:
        observation_space: of the environment, after preprocessing.
        action_space: of the environment.
        rng: the source of exploration.

    Attributes:
        version: of the weights in use; -1 as long as there are none.
        extra_shapes: what :attr:`extras` holds after every :meth:`act`, by name, with their shapes. Samples carry them
            as float32: log-probabilities and values of PPO, for example.
        extras: what the policy has to tell of its last action, besides the action.
    """

    version: int = -1
    extra_shapes: Mapping[str, tuple[int, ...]] = {}
    extras: Mapping[str, Any] = {}

    def __init__(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], rng: np.random.Generator
    ) -> None:
        self._observation_space = observation_space
        self._action_space = action_space
        self._rng = rng

    def reset(self) -> None:  # most policies have nothing to forget
        """Forget the episode before; called after every ``reset`` of the environment."""

    @abstractmethod
    def act(self, observation: Any, deterministic: bool) -> Any:
        """Return an action in the action space; without weights, one drawn from it."""

    @abstractmethod
    def adopt(self, weights: PolicyWeights) -> None:
        """Use new weights from now on.

        Raises:
            WeightsError: they do not fit; the old ones stay in use.
        """


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
        WeightsError: the weights do not fit.
    """
    kind = locate(_KINDS.get(name, name), "worker.policy")
    policy: Policy = kind(observation_space, action_space, rng or np.random.default_rng())
    if file is not None:
        try:
            policy.adopt(PolicyWeights.load(file))
        except OSError as error:
            raise ConfigError(f"{file}: {error.strerror}") from error
    return policy
