"""The NumPy policies of distant training (extra ``worker``), as models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError, RtgymError
from rtgym_ros.policies.model import Array, Model, ModelInput

INPUT, OUTPUT = "observation", "action"


class NumpyModel(Model):
    """A file of ``./dev train``, ``train_trainer`` or :func:`rtgym_ros.train.policy.export.export_actor`.

    Its answer is in [-1, 1], without exploration: what the policy answers for the bounds of the action space.

    Args:
        path: of the file.

    Raises:
        ConfigError: what reads it is not installed, or the file cannot be used; the message does not name the file.

    Attributes:
        metadata: the text under each key of the file's metadata.
        version: of the weights.
    """

    def __init__(self, path: Path) -> None:
        try:
            from rtgym_ros.train.policy.policy_file import PolicyWeights
            from rtgym_ros.train.policy.squashed_gaussian_mlp import KIND, SquashedGaussianMlp
        except ImportError as error:
            raise ConfigError(f"{error.name} is not installed: pip install 'rtgym_ros[worker]'") from error
        try:
            weights = PolicyWeights.from_bytes(path.read_bytes())
            if weights.kind != KIND:
                raise ConfigError(f"weights of a {weights.kind!r}; allowed: {KIND}")
            first = "layer.0.weight" if "layer.0.weight" in weights.arrays else "mean.weight"
            inputs, outputs = weights.arrays[first].shape[1], weights.arrays["mean.weight"].shape[0]
            box = spaces.Box(-np.inf, np.inf, (inputs,), np.float32)
            # One that never explores needs no generator that differs from run to run.
            self._policy = SquashedGaussianMlp(box, spaces.Box(-1.0, 1.0, (outputs,)), np.random.default_rng(0))
            self._policy.adopt(weights)
        except (OSError, KeyError, IndexError) as error:
            raise ConfigError(f"cannot be used: {error}") from error
        except RtgymError as error:
            raise ConfigError(str(error)) from error
        self.version = weights.version
        self.metadata: Mapping[str, str] = weights.details
        self.inputs = (ModelInput(INPUT, (inputs,), np.dtype(np.float32)),)
        self.outputs = (OUTPUT,)
        self._size = int(outputs)

    def run(self, values: Mapping[str, Array], output: str) -> Array:
        """Return the action."""
        return self._policy.act(values[INPUT], True)

    def output_size(self, output: str) -> int:
        """Return how many values the action has."""
        return self._size
