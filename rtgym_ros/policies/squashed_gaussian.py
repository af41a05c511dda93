"""The actor of SAC and TQC: a network, a Gaussian, tanh (Haarnoja et al. 2018). No PyTorch on the robot."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.policies import mlp_model
from rtgym_ros.policies.model import Model
from rtgym_ros.policies.onnx_model import OnnxModel
from rtgym_ros.policies.policy import Policy
from rtgym_ros.policies.space_leaves import leaf_values
from rtgym_ros.policies.vector_and_images import VECTOR, VectorAndImages
from rtgym_ros.policies.weights import PolicyWeights, WeightsError

ONNX_FILE = "model"
"""Of the weights of an :class:`OnnxPolicy`, the array with the file, uint8."""
_LOG_STD_RANGE = (-20.0, 2.0)


class SquashedGaussian(Policy):
    """Base of the policies whose network gives a mean and the logarithm of a standard deviation, before the tanh.

    Inputs of the network are the parts of :class:`VectorAndImages`, or some of them, outputs ``mean`` and perhaps
    ``log_std``; without it the policy is deterministic. Of each image the network gets the last ``frames`` (an entry
    of the weights' details); after :meth:`reset` the first one stands for those before it.

    Raises:
        ConfigError: it cannot be used with these spaces, or what runs its network is not installed.
    """

    kind: str  # of the weights that it takes
    load: Callable[[PolicyWeights], Model]  # makes its network of them, or raises a WeightsError
    runtime = "numpy"  # what runs its network
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
        self._parts = VectorAndImages(observation_space)
        if isinstance(self._parts.space, spaces.Dict) and not self.takes_images:
            raise ConfigError(f"worker.policy {self.kind} takes no images, got {observation_space}: take onnx")
        if find_spec(self.runtime) is None:
            raise ConfigError(f"worker.policy {self.kind}: pip install 'rtgym_ros[{self.kind}]'")
        self._frames: dict[str, deque[np.ndarray]] = {}
        self._model: Model | None = None
        self._outputs: Sequence[str] = ()

    def reset(self) -> None:
        """Forget the frames of the episode before."""
        self._frames = {}

    def inputs(self, observation: Any) -> dict[str, np.ndarray]:
        """Take in the observation of a time-step; return what the network sees, each of shape (1, ...)."""
        parts = self._parts.of(np.asarray(leaf)[None] for leaf in leaf_values(self._observation_space, observation))
        frames = self._parts.frames
        for key in parts.keys() - {VECTOR}:
            seen = self._frames.setdefault(key, deque([parts[key]] * (frames - 1), maxlen=frames))
            seen.append(parts[key].copy())
            parts[key] = np.concatenate(seen, axis=1)
        return parts

    def act(self, observation: Any, deterministic: bool) -> np.ndarray:
        """Return an action, float32 or the action space's type, in the action space."""
        inputs = self.inputs(observation)
        if self._model is None:
            drawn: np.ndarray = self._rng.uniform(self._low, self._low + 2 * self._half_range)
        else:
            values = {one.name: inputs[one.name][0] for one in self._model.inputs}
            action, *log_std = self._model.run(values, self._outputs)
            if log_std and not deterministic:
                std = np.exp(np.clip(log_std[0], *_LOG_STD_RANGE))
                action = action + std * self._rng.standard_normal(len(action), dtype=np.float32)
            drawn = self._low + (np.tanh(action).reshape(self._low.shape) + 1) * self._half_range
        # Rounding must not lead out of the space: SB3 and the environment both check.
        clipped: np.ndarray = np.clip(drawn, *self._bounds)
        return clipped.astype(self._bounds[0].dtype)

    def adopt(self, weights: PolicyWeights) -> None:
        """Use ``weights`` from now on."""
        if weights.kind != self.kind:
            raise WeightsError(f"weights of a {weights.kind!r}, and this policy takes {self.kind!r}")
        model = self.load(weights)
        try:
            parts = VectorAndImages(self._observation_space, int(weights.details.get("frames", "1")))
        except ValueError as error:
            raise WeightsError(f"the model cannot be used: {error}") from error
        shown = parts.space.spaces if isinstance(parts.space, spaces.Dict) else {VECTOR: parts.space}
        there = {name: tuple(space.shape or ()) for name, space in shown.items()}
        if not model.inputs or not all(one.name in there and one.takes(there[one.name]) for one in model.inputs):
            wanted = {one.name: one.shape for one in model.inputs}
            raise WeightsError(f"the model takes {wanted}, and an observation has {there}")
        sizes, size = {name: model.output_size(name) for name in model.outputs}, self._low.size
        outputs = [name for name in ("mean", "log_std") if name in sizes]
        if "mean" not in sizes or any(sizes[name] != size for name in outputs):
            raise WeightsError(f"the model gives {sizes}, and mean, or mean and log_std, of {size} is needed")
        if parts.frames != self._parts.frames:
            self._frames = {}
        self._model, self._parts, self._outputs, self.version = model, parts, outputs, weights.version


class SquashedGaussianMlp(SquashedGaussian):
    """Its network is a perceptron, run by NumPy; its observations are Boxes without images, or MultiBinary."""

    kind = mlp_model.KIND
    load = staticmethod(mlp_model.MlpModel)


class OnnxPolicy(SquashedGaussian):
    """Its network is an ONNX file, run by ONNX Runtime: images, and whatever NumPy does not know."""

    kind, runtime = "onnx", "onnxruntime"
    takes_images = True

    @staticmethod
    def load(weights: PolicyWeights) -> Model:
        """Return the network."""
        try:
            return OnnxModel(weights.arrays[ONNX_FILE].tobytes())
        except (ConfigError, KeyError) as error:
            raise WeightsError(f"the model cannot be used: {error}") from error
