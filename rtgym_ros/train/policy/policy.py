"""What a robot asks of a policy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.train.policy.policy_file import PolicyWeights


class Policy(ABC):
    """From an observation to an action, quickly: the robot is waiting.

    Args:
        observation_space: of the environment, after preprocessing.
        action_space: of the environment.
        rng: the source of exploration.

    Attributes:
        version: of the weights in use; -1 as long as there are none.
    """

    version: int = -1

    def __init__(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], rng: np.random.Generator
    ) -> None:
        self._observation_space = observation_space
        self._action_space = action_space
        self._rng = rng

    @abstractmethod
    def act(self, observation: Any, deterministic: bool) -> Any:
        """Return an action in the action space; without weights, one drawn from it."""

    @abstractmethod
    def adopt(self, weights: PolicyWeights) -> None:
        """Use new weights from now on.

        Raises:
            ProtocolError: they do not fit; the old ones stay in use.
        """
