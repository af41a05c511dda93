"""SAC and TQC of Stable-Baselines3, and REDQ on it, without an environment of their own."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.logger import Logger

from rtgym_ros.core.errors import ConfigError, nearest
from rtgym_ros.train.config import TrainerConfig
from rtgym_ros.train.policy.export import ACTIVATIONS, export_actor, export_onnx
from rtgym_ros.train.policy.observation_parts import ObservationParts
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.protocol.schema import ACTION, EXECUTED, OBSERVATION, SampleSchema
from rtgym_ros.train.trainer.actions import Actions
from rtgym_ros.train.trainer.agent import Agent
from rtgym_ros.train.trainer.learning_rate import make_learning_rates
from rtgym_ros.train.trainer.memory import Memory
from rtgym_ros.train.trainer.sb3_state import load_model, save_model
from rtgym_ros.train.trainer.transitions import Transitions

# What of the constructors makes sense here. Their other arguments are entries of the configuration, or belong to
# the loop over an environment that SB3 does not run here.
_KWARGS: dict[str, tuple[str, ...]] = {
    "sac": ("learning_rate", "tau", "gamma", "ent_coef", "target_update_interval", "target_entropy", "policy_kwargs"),
}
_KWARGS["tqc"] = (*_KWARGS["sac"], "top_quantiles_to_drop_per_net")
_KWARGS["redq"] = (*_KWARGS["sac"], "subset", "policy_delay")
_POLICY_KWARGS: dict[str, tuple[str, ...]] = {"sac": ("net_arch", "activation_fn", "n_critics", "optimizer_kwargs")}
_POLICY_KWARGS |= {"tqc": (*_POLICY_KWARGS["sac"], "n_quantiles"), "redq": _POLICY_KWARGS["sac"]}
_ENTRIES = {"buffer_size": "memory_size", "learning_starts": "start_training"} | {
    name: name for name in ("batch_size", "seed", "device")
}


class Sb3Agent(Agent):
    """SAC (Haarnoja et al. 2018), TQC (Kuznetsov et al. 2020) or REDQ (Chen et al. 2021).

    ``agent_kwargs`` go to the constructor of SB3; ``policy_kwargs`` holds ``net_arch``, and ``activation_fn`` by name:
    ``relu``, ``tanh`` or ``elu``; ``learning_rate`` is a number or a map of ``begin``, ``end`` and ``updates``, or one
    of these for each of ``actor``, ``critic`` and ``entropy``.
    """

    def __init__(self, schema: SampleSchema, config: TrainerConfig) -> None:
        super().__init__(schema, config)
        actions = Actions(schema)
        self._parts = ObservationParts(schema.observation_space, config.frames)
        made_of: dict[str, Any] = {
            "parts": self._parts,
            "columns": [name for name, *_ in schema.fields if name.split("/")[0] == OBSERVATION],
            "actions": actions,
            "action_column": EXECUTED if config.learn_from == "executed" else ACTION,
        }
        spaces_of_it = self._parts.space, actions.space
        torch.set_num_threads(config.threads)
        kwargs = _checked_kwargs(config)
        self._learning_rates = make_learning_rates(kwargs.pop("learning_rate", 3e-4))
        try:
            self._model = _model_class(config.agent)(
                "MultiInputPolicy" if isinstance(self._parts.space, spaces.Dict) else "MlpPolicy",
                _SpacesOnly(*spaces_of_it),
                replay_buffer_class=Memory,
                replay_buffer_kwargs=made_of,
                buffer_size=config.memory_size,
                batch_size=config.batch_size,
                device=config.device,
                seed=config.seed,
                learning_rate=self._learning_rates["actor"].begin,
                **kwargs,
            )
        except (TypeError, ValueError, AssertionError, RuntimeError) as error:
            raise ConfigError(f"trainer.agent_kwargs {config.agent_kwargs!r}: {error}") from error
        self._memory: Memory = self._model.replay_buffer
        self._demonstrations: Memory | None = None
        if config.demonstration_share:
            self._demonstrations = Memory(config.memory_size, *spaces_of_it, config.device, **made_of)
            self._memory.shares = [(self._demonstrations, config.demonstration_share)]
        self._model._update_learning_rate = self._set_learning_rates
        self._model.set_logger(Logger(folder=None, output_formats=[]))
        self.export()  # a network that cannot be exported is an error now, not after the first updates

    @property
    def memory_length(self) -> int:
        """How many transitions the replay memory holds."""
        return self._memory.size() + (self._demonstrations.size() if self._demonstrations else 0)

    def add(self, transitions: Transitions) -> None:
        """Put transitions into the replay memory; demonstrations into their own, where they have a share."""
        if self._demonstrations is None:
            self._memory.add_transitions(transitions)
            return
        shown = transitions.after["demonstration"] | transitions.after["intervention"]
        for memory, which in ((self._memory, ~shown), (self._demonstrations, shown)):
            if which.any():
                memory.add_transitions(transitions.where(which))

    def train(self, updates: int) -> dict[str, float]:
        """Do so many updates, and return the means of losses and entropy coefficient."""
        sums: dict[str, float] = {}
        model = self._model
        # SB3 counts to the next target update from 0 again in every call: one by one where not all have one.
        tau, interval = model.tau, model.target_update_interval
        for count in [updates] if interval == 1 else [1] * updates:
            model.tau = 0.0 if model._n_updates % interval else tau  # with 0 an update of the targets changes nothing
            model.train(count, self._config.batch_size)
            for name, value in model.logger.name_to_value.items():
                if name != "train/n_updates":
                    sums[name] = sums.get(name, 0.0) + float(value) * count
            model.logger.name_to_value.clear()
        model.tau = tau
        return {name.removeprefix("train/"): value / updates for name, value in sums.items()}

    def export(self) -> PolicyWeights:
        """Return the actor for the NumPy policy, or for ONNX Runtime where it sees images."""
        if isinstance(self._parts.space, spaces.Dict):
            return export_onnx(self._model.actor, self._parts)
        return export_actor(self._model.actor)

    def save(self, folder: Path) -> None:
        """Write networks, optimisers and random states; the replay memory is filled from the stream again."""
        save_model(self._model, folder)

    def load(self, folder: Path) -> None:
        """Go on from there."""
        load_model(self._model, folder)

    def _set_learning_rates(self, optimizers: list[torch.optim.Optimizer]) -> None:
        """Take the place of SB3's method, which knows one rate for all: actor, critic, and perhaps entropy."""
        for optimizer, rate in zip(optimizers, self._learning_rates.values(), strict=False):
            for group in optimizer.param_groups:
                group["lr"] = rate.at(self._model._n_updates)


class _SpacesOnly(gymnasium.Env[np.ndarray, np.ndarray]):
    """Tells SB3 the spaces; it is never stepped."""

    def __init__(self, observation_space: spaces.Space[Any], action_space: spaces.Box) -> None:
        self.observation_space = observation_space
        self.action_space = action_space


def _model_class(agent: str) -> Any:
    if agent == "tqc":
        try:
            from sb3_contrib import TQC
        except ImportError as error:
            raise ConfigError("trainer.agent 'tqc' needs the package sb3_contrib") from error
        return TQC
    if agent == "redq":
        from rtgym_ros.train.trainer.redq import Redq

        return Redq
    from stable_baselines3 import SAC

    return SAC


def _checked_kwargs(config: TrainerConfig) -> dict[str, Any]:
    kwargs = deepcopy(config.agent_kwargs)  # SB3 writes into policy_kwargs
    for name in kwargs:
        if name in _ENTRIES:
            raise ConfigError(f"trainer.agent_kwargs: {name} is the entry trainer.{_ENTRIES[name]}")
        _refuse_unknown(name, _KWARGS[config.agent], "trainer.agent_kwargs")
    policy = kwargs.get("policy_kwargs", {})
    if not isinstance(policy, dict):
        raise ConfigError(f"trainer.agent_kwargs: policy_kwargs must be a map of entries, got {policy!r}")
    for name in policy:
        _refuse_unknown(name, _POLICY_KWARGS[config.agent], "trainer.agent_kwargs.policy_kwargs")
    if "activation_fn" in policy:
        name = policy["activation_fn"]
        if name not in ACTIVATIONS:
            raise ConfigError(f"trainer.agent_kwargs: activation_fn is one of {', '.join(ACTIVATIONS)}, got {name!r}")
        kwargs["policy_kwargs"] = {**policy, "activation_fn": ACTIVATIONS[name]}
    interval = kwargs.get("target_update_interval", 1)
    if not isinstance(interval, int) or interval < 1:
        raise ConfigError(f"trainer.agent_kwargs: target_update_interval must be a whole number from 1, got {interval}")
    return kwargs


def _refuse_unknown(name: str, known: tuple[str, ...], where: str) -> None:
    if name not in known:
        raise ConfigError(f"{where}: unknown entry {name}{nearest(name, known)}")
