"""The actor of SAC and TQC in NumPy: ReLU layers, a Gaussian, tanh (Haarnoja et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.policy.observation_parts import VECTOR, ObservationParts
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.policy.squashed_gaussian import SquashedGaussian
from rtgym_ros.train.protocol.schema import leaf_values

KIND = "squashed_gaussian_mlp"
ACTIVATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0.0, out=x),
    "tanh": lambda x: np.tanh(x, out=x),
    "elu": lambda x: np.where(x > 0.0, x, np.expm1(np.minimum(x, 0.0))),
}


class SquashedGaussianMlp(SquashedGaussian):
    """Arrays ``layer.N.weight`` (out, in), ``layer.N.bias``, ``mean.*``, ``log_std.*``; float32 throughout.

    Observations are the vector of :class:`ObservationParts`. Where ``log_std`` is missing the policy is deterministic.

    Raises:
        ConfigError: there are images among the observations, or what is neither Box nor MultiBinary.
    """

    def __init__(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], rng: np.random.Generator
    ) -> None:
        super().__init__(observation_space, action_space, rng)
        self._parts = ObservationParts(observation_space)
        if isinstance(self._parts.space, spaces.Dict):
            raise ConfigError(f"worker.policy {KIND} takes no images, got {observation_space}: take onnx")
        self._layers: list[tuple[np.ndarray, np.ndarray]] = []
        self._activation = ACTIVATIONS["relu"]
        self._mean: tuple[np.ndarray, np.ndarray] | None = None
        self._log_std: tuple[np.ndarray, np.ndarray] | None = None

    def adopt(self, weights: PolicyWeights) -> None:
        """Use ``weights`` from now on."""
        arrays = weights.arrays
        if weights.kind != KIND:
            raise ProtocolError(f"weights of a {weights.kind!r}, and this policy is a {KIND!r}")
        activation = ACTIVATIONS.get(weights.details.get("activation", "relu"))
        if activation is None:
            raise ProtocolError(f"unknown activation {weights.details['activation']!r}: {', '.join(ACTIVATIONS)}")
        count = sum(name.startswith("layer.") and name.endswith(".weight") for name in arrays)
        assert isinstance(self._parts.space, spaces.Box)
        sizes, layers = self._parts.space.shape[0], []
        for number in range(count):
            layers.append(_affine(arrays, f"layer.{number}", sizes))
            sizes = len(layers[-1][1])
        mean = _affine(arrays, "mean", sizes, self._low.size)
        log_std = _affine(arrays, "log_std", sizes, self._low.size) if "log_std.weight" in arrays else None
        self._layers, self._mean, self._log_std = layers, mean, log_std
        self._activation, self.version = activation, weights.version

    def network(self, observation: Any, deterministic: bool) -> tuple[np.ndarray, np.ndarray | None] | None:
        """Return mean and log of the standard deviation."""
        if self._mean is None:
            return None
        leaves = (np.asarray(value)[None] for value in leaf_values(self._observation_space, observation))
        x = self._parts.of(leaves)[VECTOR][0]
        for weight, bias in self._layers:
            x = self._activation(weight @ x + bias)
        weight, bias = self._mean
        mean = weight @ x + bias
        if deterministic or self._log_std is None:
            return mean, None
        weight, bias = self._log_std
        return mean, weight @ x + bias


def _affine(
    arrays: Mapping[str, np.ndarray], name: str, inputs: int, outputs: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    try:
        weight, bias = arrays[f"{name}.weight"], arrays[f"{name}.bias"]
    except KeyError as error:
        raise ProtocolError(f"weights without {error}") from error
    wanted = (len(bias) if outputs is None else outputs, inputs)
    if weight.shape != wanted or bias.shape != wanted[:1]:
        raise ProtocolError(f"{name}: weight {weight.shape} and bias {bias.shape}, and {wanted} is needed here")
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise ProtocolError(f"{name} is not finite")
    return weight.astype(np.float32), bias.astype(np.float32)
