"""Policies of Stable-Baselines3 as ONNX files that ``fly`` flies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxscript  # noqa: F401  # PyTorch's exporter needs it: a program without it fails here, before it has trained
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import nn

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.policies import PolicyMetadata, describe_policy, write_metadata


def export_onnx(
    model: BaseAlgorithm, path: str | Path, env: Any, *, history: int = 1, history_begin: str = "zero"
) -> PolicyMetadata:
    """Write what ``model.predict(observation, deterministic=True)`` computes, and the metadata block beside it.

    Models with a flat observation (``FlattenObservation`` around the environment, or a contract that says ``flat``) and
    the policy ``"MlpPolicy"``: PPO, A2C; SAC, TD3, DDPG; TQC and CrossQ of sb3-contrib. The statistics of a
    ``VecNormalize`` around the environment go into the block.

    Args:
        model: that has learned; on the CPU, or it is copied there.
        path: of the ONNX file.
        env: the environment that it has learned in, before it became a VecEnv.
        history: of the observations that ``VecFrameStack`` has joined.
        history_begin: what stood for those before the first: ``"zero"`` (VecFrameStack) or ``"first"``.

    Returns:
        The block.

    Raises:
        ConfigError: the policy is none of these, or does not fit the environment.
    """
    path = Path(path)
    policy: Any = model.policy
    is_actor_critic = isinstance(policy, ActorCriticPolicy)
    actor = _actor_of(policy)
    observed = model.observation_space
    if observed.shape is None or len(observed.shape) != 1:
        raise ConfigError(f"export_onnx is for flat observations, and the model observes {observed}")
    mean, std, clip = _normalisation(model)
    metadata = describe_policy(
        env,
        range="space" if is_actor_critic else (-1.0, 1.0),
        mean=mean,
        std=std,
        clip=clip,
        history=history,
        history_begin=history_begin,
    )
    device, was_training = policy.device, policy.training
    policy.to("cpu").train(False)
    try:
        torch.onnx.export(
            actor.eval(),
            (torch.zeros(1, *observed.shape),),
            str(path),
            input_names=["observation"],
            output_names=["action"],
            external_data=False,
            verbose=False,
        )
    finally:
        policy.to(device).train(was_training)
    write_metadata(path, metadata)
    return metadata


class _Actor(nn.Module):
    """What is exported: an answer to observations, and the module whose weights it is computed with."""

    def __init__(self, module: nn.Module, answer: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.module = module
        self._answer = answer

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        return self._answer(observation)


def _actor_of(policy: Any) -> nn.Module:
    """Return the mean of PPO and A2C, in the units of the action space; of the others what is between -1 and 1."""
    if isinstance(policy, ActorCriticPolicy):
        if policy.squash_output:
            raise ConfigError("a policy with squash_output cannot be exported")
        features, network = policy.pi_features_extractor, policy.mlp_extractor.forward_actor
        return _Actor(policy, lambda observation: policy.action_net(network(features(observation))))
    actor = getattr(policy, "actor", None)
    if actor is None or not hasattr(actor, "mu"):
        raise ConfigError(f"a {type(policy).__name__} answers no numbers that a robot could be sent")
    features = actor.features_extractor
    if hasattr(actor, "latent_pi"):  # SAC, TQC and CrossQ; the others are TD3 and DDPG
        return _Actor(actor, lambda observation: torch.tanh(actor.mu(actor.latent_pi(features(observation)))))
    return _Actor(actor, lambda observation: actor.mu(features(observation)))


def _normalisation(model: BaseAlgorithm) -> tuple[Any, Any, float | None]:
    """Return mean, standard deviation and bound of what the model observes, as ``VecNormalize`` has learned them."""
    statistics: Any = model.get_vec_normalize_env()
    if statistics is None or not statistics.norm_obs:
        return None, None, None
    return (
        statistics.obs_rms.mean,
        np.sqrt(statistics.obs_rms.var + statistics.epsilon),
        float(statistics.clip_obs),
    )
