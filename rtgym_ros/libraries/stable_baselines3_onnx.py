"""Policies of Stable-Baselines3 as ONNX files that ``fly`` flies; torch needs ``onnxscript`` for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
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
    actor = _Gaussian(policy) if is_actor_critic else _actor_of(policy)
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


class _Gaussian(nn.Module):
    """The mean of PPO and A2C, in the units of the action space."""

    def __init__(self, policy: Any) -> None:
        super().__init__()
        if policy.squash_output:
            raise ConfigError("a policy with squash_output cannot be exported")
        self.policy = policy

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        policy = self.policy
        features = policy.pi_features_extractor(observation)
        mean: torch.Tensor = policy.action_net(policy.mlp_extractor.forward_actor(features))
        return mean


class _Squashed(nn.Module):
    """The mean of SAC, TQC and CrossQ, between -1 and 1."""

    def __init__(self, actor: Any) -> None:
        super().__init__()
        self.actor = actor

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        actor = self.actor
        return torch.tanh(actor.mu(actor.latent_pi(actor.features_extractor(observation))))


class _Deterministic(nn.Module):
    """The actor of TD3 and DDPG, between -1 and 1."""

    def __init__(self, actor: Any) -> None:
        super().__init__()
        self.actor = actor

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        action: torch.Tensor = self.actor.mu(self.actor.features_extractor(observation))
        return action


def _actor_of(policy: Any) -> nn.Module:
    actor = getattr(policy, "actor", None)
    if actor is None or not hasattr(actor, "mu"):
        raise ConfigError(f"a {type(policy).__name__} answers no numbers that a robot could be sent")
    return _Squashed(actor) if hasattr(actor, "latent_pi") else _Deterministic(actor)


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
