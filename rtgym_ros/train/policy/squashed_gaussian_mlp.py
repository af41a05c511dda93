"""The actor of SAC and TQC: a network, here of NumPy, a Gaussian, tanh (Haarnoja et al. 2018)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.policy.observation_parts import VECTOR, ObservationParts
from rtgym_ros.train.policy.policy import Policy
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.protocol.schema import leaf_values

KIND = "squashed_gaussian_mlp"
ACTIVATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0.0, out=x),
    "tanh": lambda x: np.tanh(x, out=x),
    "elu": lambda x: np.where(x > 0.0, x, np.expm1(np.minimum(x, 0.0))),
}
_LOG_STD_RANGE = (-20.0, 2.0)

_Affine = tuple[np.ndarray, np.ndarray]  # weight (out, in) and bias (out,)


class SquashedGaussian(Policy):
    """Base of the policies whose network gives a mean and the logarithm of a standard deviation, before the tanh."""

    kind: str  # of the weights that it takes
    takes_images = False

    def __init__(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], rng: np.random.Generator
    ) -> None:
        super().__init__(observation_space, action_space, rng)
        if not isinstance(action_space, spaces.Box) or not np.isfinite([action_space.low, action_space.high]).all():
            raise ConfigError(f"this policy needs a bounded Box as its action space, got {action_space}")
        self._bounds = action_space.low, action_space.high
        self._low = action_space.low.astype(np.float32)
        self._half_range = (action_space.high.astype(np.float32) - self._low) / 2
        self._parts = ObservationParts(observation_space)
        if isinstance(self._parts.space, spaces.Dict) and not self.takes_images:
            raise ConfigError(f"worker.policy {self.kind} takes no images, got {observation_space}: take onnx")

    def inputs(self, observation: Any) -> dict[str, np.ndarray]:
        """Take in the observation of a time-step; return what the network sees, each of shape (1, ...)."""
        return self._parts.of(np.asarray(leaf)[None] for leaf in leaf_values(self._observation_space, observation))

    @abstractmethod
    def network(self, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray | None] | None:
        """Return mean and log of the standard deviation (None without one), of an action's size; None without weights.

        Args:
            inputs: what :meth:`inputs` returned.
        """

    def act(self, observation: Any, deterministic: bool) -> np.ndarray:
        """Return an action, float32 or the action space's type, in the action space."""
        answered = self.network(self.inputs(observation))
        if answered is None:
            drawn: np.ndarray = self._rng.uniform(self._low, self._low + 2 * self._half_range)
        else:
            action, log_std = answered
            if log_std is not None and not deterministic:
                std = np.exp(np.clip(log_std, *_LOG_STD_RANGE))
                action = action + std * self._rng.standard_normal(len(action), dtype=np.float32)
            drawn = self._low + (np.tanh(action).reshape(self._low.shape) + 1) * self._half_range
        # Rounding must not lead out of the space: SB3 and the environment both check.
        clipped: np.ndarray = np.clip(drawn, *self._bounds)
        return clipped.astype(self._bounds[0].dtype)

    def adopt(self, weights: PolicyWeights) -> None:
        """Use ``weights`` from now on."""
        if weights.kind != self.kind:
            raise ProtocolError(f"weights of a {weights.kind!r}, and this policy takes {self.kind!r}")
        self._take(weights)
        self.version = weights.version

    @abstractmethod
    def _take(self, weights: PolicyWeights) -> None:
        """Take in the network."""


class SquashedGaussianMlp(SquashedGaussian):
    """Arrays ``layer.N.weight`` (out, in), ``layer.N.bias``, ``mean.*``, ``log_std.*``; float32 throughout.

    Observations are the vector of :class:`ObservationParts`. Where ``log_std`` is missing the policy is deterministic.

    Raises:
        ConfigError: there are images among the observations, or what is neither Box nor MultiBinary.
    """

    kind = KIND
    _layers: Sequence[_Affine] = ()
    _mean: _Affine | None = None
    _log_std: _Affine | None = None

    def network(self, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray | None] | None:
        """Compute it."""
        if self._mean is None:
            return None
        x = inputs[VECTOR][0]
        for weight, bias in self._layers:
            x = self._activation(weight @ x + bias)
        (weight, bias), log_std = self._mean, self._log_std
        return weight @ x + bias, None if log_std is None else log_std[0] @ x + log_std[1]

    def _take(self, weights: PolicyWeights) -> None:
        arrays, name = weights.arrays, weights.details.get("activation", "relu")
        if name not in ACTIVATIONS:
            raise ProtocolError(f"unknown activation {name!r}: {', '.join(ACTIVATIONS)}")
        assert isinstance(self._parts.space, spaces.Box)
        size, layers = self._parts.space.shape[0], []
        for number in range(sum(name.startswith("layer.") and name.endswith(".weight") for name in arrays)):
            layers.append(_affine(arrays, f"layer.{number}", size))
            size = len(layers[-1][1])
        mean = _affine(arrays, "mean", size, self._low.size)
        log_std = _affine(arrays, "log_std", size, self._low.size) if "log_std.weight" in arrays else None
        self._layers, self._mean, self._log_std = layers, mean, log_std
        self._activation = ACTIVATIONS[name]


def _affine(arrays: Mapping[str, np.ndarray], name: str, inputs: int, outputs: int | None = None) -> _Affine:
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
