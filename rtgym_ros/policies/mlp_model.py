"""Perceptrons as arrays, run by NumPy: the actors of distant training (safetensors: extras ``fly`` and ``worker``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rtgym_ros.policies.model import Array, Model, ModelInput
from rtgym_ros.policies.weights import PolicyWeights, WeightsError

KIND = "squashed_gaussian_mlp"
INPUT, ACTION = "vector", "action"
ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0.0, out=x),
    "tanh": lambda x: np.tanh(x, out=x),
    "elu": lambda x: np.where(x > 0.0, x, np.expm1(np.minimum(x, 0.0))),
}

_Affine = tuple[Array, Array]  # weight (out, in) and bias (out,)


class MlpModel(Model):
    """The network of ``./dev train``, ``train_trainer`` or :func:`rtgym_ros.train.export.export_gaussian`.

    Its arrays are ``layer.N.weight`` (out, in), ``layer.N.bias``, ``mean.*`` and, where it explores, ``log_std.*``;
    float32 throughout. Its outputs are ``action``, in [-1, 1], which is the tanh of ``mean``; ``mean``; ``log_std``.

    Args:
        weights: of the kind :data:`KIND`.

    Raises:
        WeightsError: they are of another kind, or do not make a network.
    """

    def __init__(self, weights: PolicyWeights) -> None:
        if weights.kind != KIND:
            raise WeightsError(f"weights of a {weights.kind!r}; allowed: {KIND}")
        arrays, activation = weights.arrays, weights.details.get("activation", "relu")
        if activation not in ACTIVATIONS:
            raise WeightsError(f"unknown activation {activation!r}: {', '.join(ACTIVATIONS)}")
        self._activation = ACTIVATIONS[activation]
        count = sum(name.startswith("layer.") and name.endswith(".weight") for name in arrays)
        self._layers: list[_Affine] = []
        size: int | None = None
        for number in range(count):
            self._layers.append(_affine(arrays, f"layer.{number}", size))
            size = len(self._layers[-1][1])
        mean = _affine(arrays, "mean", size)
        self._size = len(mean[1])
        self._heads = {"mean": mean}
        if "log_std.weight" in arrays:
            self._heads["log_std"] = _affine(arrays, "log_std", mean[0].shape[1], self._size)
        first, _ = [*self._layers, mean][0]
        self.inputs = (ModelInput(INPUT, (first.shape[1],), np.dtype(np.float32)),)
        self.outputs = (ACTION, *self._heads)
        self.metadata = weights.details

    def run(self, values: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        """Return outputs."""
        x = values[INPUT]
        for weight, bias in self._layers:
            x = self._activation(weight @ x + bias)
        heads = {name: weight @ x + bias for name, (weight, bias) in self._heads.items()}
        return [np.tanh(heads["mean"]) if name == ACTION else heads[name] for name in outputs]

    def output_size(self, output: str) -> int:
        """Return how many values an output has."""
        return self._size


def _affine(arrays: Mapping[str, Array], name: str, inputs: int | None, outputs: int | None = None) -> _Affine:
    """Return a layer; None stands for any size."""
    try:
        weight, bias = arrays[f"{name}.weight"], arrays[f"{name}.bias"]
    except KeyError as error:
        raise WeightsError(f"weights without {error}") from error
    wanted = (bias.size if outputs is None else outputs, *(weight.shape[1:2] if inputs is None else (inputs,)))
    if weight.ndim != 2 or weight.shape != wanted or bias.shape != wanted[:1]:
        raise WeightsError(f"{name}: weight {weight.shape} and bias {bias.shape}, and {wanted} is needed here")
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise WeightsError(f"{name} is not finite")
    return weight.astype(np.float32), bias.astype(np.float32)
