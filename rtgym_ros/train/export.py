"""The actor of Stable-Baselines3's SAC and TQC for the robots: as arrays for NumPy, or as an ONNX file."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import nn

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.policies.squashed_gaussian import ONNX_FILE, OnnxPolicy, SquashedGaussianMlp
from rtgym_ros.policies.vector_and_images import VectorAndImages
from rtgym_ros.policies.weights import PolicyWeights

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "elu": nn.ELU}
"""By the names that the NumPy policy knows."""


def export_actor(actor: Any) -> PolicyWeights:
    """Return the weights of an actor of SAC or TQC (``model.actor``, on flat observations), copied, on the CPU.

    Raises:
        ConfigError: its network is not a plain perceptron with one of :data:`ACTIVATIONS`.
    """
    if not isinstance(actor.mu, nn.Linear) or not isinstance(actor.log_std, nn.Linear):
        raise ConfigError("a policy with state-dependent exploration (use_sde) cannot be exported")
    if list(actor.features_extractor.parameters()):
        raise ConfigError(f"a {type(actor.features_extractor).__name__} with weights of its own cannot be exported")
    return export_gaussian(actor.latent_pi, actor.mu, actor.log_std)


def export_gaussian(
    network: Iterable[nn.Module], mean: nn.Linear | None = None, log_std: nn.Linear | None = None, version: int = -1
) -> PolicyWeights:
    """Return a network of one's own as the policy that robots run in NumPy: layers, a Gaussian, tanh.

    Args:
        network: linear layers and activations by turns, as an ``nn.Sequential`` yields them; it begins with the flat
            observation. Without ``mean`` its last layer gives mean and log of the standard deviation, in this order.
        mean: the layer to the mean of the action in [-1, 1], before the tanh.
        log_std: the layer to the logarithm of its standard deviation; None, beside ``mean``, for no exploration.
        version: of the weights; :meth:`Run.publish` chooses it.

    Returns:
        Weights for ``squashed_gaussian_mlp``, copied, on the CPU.

    Raises:
        ConfigError: there are other layers in it, or another activation than one of :data:`ACTIVATIONS`.
    """
    modules = list(network)
    if mean is not None:
        heads = {"mean": _affine(mean)} | ({} if log_std is None else {"log_std": _affine(log_std)})
    else:
        weight, bias = _affine(modules.pop() if modules else None)
        half = len(bias) // 2
        heads = {"mean": (weight[:half], bias[:half]), "log_std": (weight[half:], bias[half:])}
    linear, others = modules[::2], modules[1::2]
    if len(linear) != len(others) or any(isinstance(module, nn.Linear) for module in others):
        raise ConfigError(f"only linear layers with an activation behind each can be exported, got {modules}")
    activations = {_activation(module) for module in others}
    if len(activations) > 1:
        raise ConfigError(f"only one kind of activation can be exported, got {', '.join(sorted(activations))}")
    arrays: dict[str, np.ndarray] = {}
    for name, parts in {**{f"layer.{i}": _affine(layer) for i, layer in enumerate(linear)}, **heads}.items():
        arrays[f"{name}.weight"], arrays[f"{name}.bias"] = parts
    return PolicyWeights(
        SquashedGaussianMlp.kind, version, arrays, {"activation": activations.pop() if activations else "relu"}
    )


class _Onnx(nn.Module):
    """What a robot runs: from the parts of an observation to mean and log of the standard deviation."""

    def __init__(self, actor: Any, names: list[str]) -> None:
        super().__init__()
        self._actor, self._names = actor, names

    def forward(self, *parts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen = dict(zip(self._names, parts, strict=True))
        latent = self._actor.latent_pi(self._actor.extract_features(seen, self._actor.features_extractor))
        return self._actor.mu(latent), self._actor.log_std(latent)


def export_onnx(actor: Any, parts: VectorAndImages) -> PolicyWeights:
    """Return an actor of SAC or TQC (``model.actor``, on the Dict of ``parts``) as an ONNX file, for OnnxPolicy."""
    assert isinstance(parts.space, spaces.Dict)
    shown = {name: torch.as_tensor(space.sample())[None].to(actor.device) for name, space in parts.space.spaces.items()}
    file, was_training = io.BytesIO(), actor.training
    actor.train(False)
    with warnings.catch_warnings():
        # The exporter of before takes milliseconds; today's takes seconds, at every version of the weights.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Onnx(actor, list(shown)), tuple(shown.values()), file, dynamo=False, input_names=list(shown),
            output_names=["mean", "log_std"],
        )  # fmt: skip
    actor.train(was_training)
    model = np.frombuffer(file.getvalue(), np.uint8)
    return PolicyWeights(OnnxPolicy.kind, -1, {ONNX_FILE: model}, {"frames": str(parts.frames)})


def _activation(module: nn.Module) -> str:
    for name, kind in ACTIVATIONS.items():
        if type(module) is kind and getattr(module, "alpha", 1.0) == 1.0:
            return name
    raise ConfigError(f"a policy with {module} cannot be exported; there are {', '.join(ACTIVATIONS)}")


def _affine(layer: nn.Module | None) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(layer, nn.Linear):
        raise ConfigError(f"a {type(layer).__name__} cannot be exported where a linear layer is expected")
    bias = torch.zeros(layer.out_features) if layer.bias is None else layer.bias
    weight, bias = (part.detach().float().cpu().numpy().copy() for part in (layer.weight, bias))
    return weight, bias
