"""SAC and TQC of Stable-Baselines3, and REDQ on it, without an environment of their own."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import SAC
from stable_baselines3.common.logger import Logger

from rtgym_ros.core.errors import ConfigError, nearest
from rtgym_ros.policies.vector_and_images import VectorAndImages
from rtgym_ros.policies.weights import PolicyWeights
from rtgym_ros.train.config import TrainerConfig
from rtgym_ros.train.export import ACTIVATIONS, export_actor, export_onnx
from rtgym_ros.train.protocol.schema import SampleSchema
from rtgym_ros.train.trainer.agent import Agent
from rtgym_ros.train.trainer.learning_rate import make_learning_rates
from rtgym_ros.train.trainer.memory import Memory
from rtgym_ros.train.trainer.redq import Redq
from rtgym_ros.train.trainer.transitions import Actions, Transitions

# What of the constructors makes sense here. Their other arguments are entries of the configuration, or belong to
# the loop over an environment that SB3 does not run here.
_SAC = ("learning_rate", "tau", "gamma", "ent_coef", "target_update_interval", "target_entropy", "policy_kwargs")
_SAC_POLICY = ("net_arch", "activation_fn", "n_critics", "optimizer_kwargs")
_KNOWN = {  # of each agent: of its constructor, and of policy_kwargs
    "sac": (_SAC, _SAC_POLICY),
    "tqc": ((*_SAC, "top_quantiles_to_drop_per_net"), (*_SAC_POLICY, "n_quantiles")),
    "redq": ((*_SAC, "subset", "policy_delay"), _SAC_POLICY),
}
_ENTRIES = {"buffer_size": "memory_size", "learning_starts": "start_training", "batch_size": "batch_size",
            "seed": "seed", "device": "device"}  # fmt: skip


class Sb3Agent(Agent):
    """SAC (Haarnoja et al. 2018), TQC (Kuznetsov et al. 2020) or REDQ (Chen et al. 2021).

    ``agent_kwargs`` go to the constructor of SB3; ``policy_kwargs`` holds ``net_arch``, and ``activation_fn`` by name:
    ``relu``, ``tanh`` or ``elu``; ``learning_rate`` is a number or a map of ``begin``, ``end`` and ``updates``, or one
    of these for each of ``actor``, ``critic`` and ``entropy``.
    """

    def __init__(self, schema: SampleSchema, config: TrainerConfig) -> None:
        super().__init__(schema, config)
        self._parts = VectorAndImages(schema.observation_space, config.frames)
        env: gymnasium.Env[Any, Any] = gymnasium.Env()  # tells SB3 the spaces; it is never stepped
        env.observation_space, env.action_space = spaces_of_it = self._parts.space, Actions(schema).space
        torch.set_num_threads(config.threads)
        kwargs = _checked_kwargs(config)
        self._learning_rates = make_learning_rates(kwargs.pop("learning_rate", 3e-4))
        try:
            self._model = _model_class(config.agent)(
                "MultiInputPolicy" if isinstance(self._parts.space, spaces.Dict) else "MlpPolicy",
                env,
                replay_buffer_class=Memory,
                replay_buffer_kwargs={"schema": schema, "config": config},
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
            self._demonstrations = Memory(
                config.memory_size, *spaces_of_it, config.device, schema=schema, config=config
            )
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
        """Write networks, optimisers, counters and random states, as tensors: nothing is pickled."""
        model = self._model
        for name, tensor in model.policy.state_dict().items():
            if not torch.isfinite(tensor).all():
                raise FloatingPointError(f"{name} is not finite: no checkpoint is made of it")
        _, variables = model._get_torch_save_params()
        state = {
            "parameters": model.get_parameters(),
            "variables": {name: getattr(model, name).detach() for name in variables},
            "updates": int(model._n_updates),
            "random": _random_state(),
        }
        torch.save(state, folder / "model.pt")

    def load(self, folder: Path) -> None:
        """Go on from there."""
        model = self._model
        state = torch.load(folder / "model.pt", map_location=model.device, weights_only=True)
        model.set_parameters(state["parameters"], exact_match=True, device=model.device)
        for name, value in state["variables"].items():
            with torch.no_grad():  # in place: the optimiser holds this very tensor
                getattr(model, name).copy_(value)
        model._n_updates = state["updates"]
        _set_random_state(state["random"])

    def _set_learning_rates(self, optimizers: list[torch.optim.Optimizer]) -> None:
        """Take the place of SB3's method, which knows one rate for all: actor, critic, and perhaps entropy."""
        for optimizer, rate in zip(optimizers, self._learning_rates.values(), strict=False):
            for group in optimizer.param_groups:
                group["lr"] = rate.at(self._model._n_updates)


def _model_class(agent: str) -> Any:
    if agent != "tqc":
        return {"sac": SAC, "redq": Redq}[agent]
    try:
        from sb3_contrib import TQC
    except ImportError as error:
        raise ConfigError("trainer.agent 'tqc' needs the package sb3_contrib") from error
    return TQC


def _checked_kwargs(config: TrainerConfig) -> dict[str, Any]:
    where, (known, known_to_policy) = "trainer.agent_kwargs", _KNOWN[config.agent]
    kwargs = deepcopy(config.agent_kwargs)  # SB3 writes into policy_kwargs
    for name in kwargs:
        if name in _ENTRIES:
            raise ConfigError(f"{where}: {name} is the entry trainer.{_ENTRIES[name]}")
    _refuse_unknown(kwargs, known, where)
    policy = kwargs.get("policy_kwargs", {})
    if not isinstance(policy, dict):
        raise ConfigError(f"{where}: policy_kwargs must be a map of entries, got {policy!r}")
    _refuse_unknown(policy, known_to_policy, f"{where}.policy_kwargs")
    if "activation_fn" in policy:
        name = policy["activation_fn"]
        if name not in ACTIVATIONS:
            raise ConfigError(f"{where}: activation_fn is one of {', '.join(ACTIVATIONS)}, got {name!r}")
        policy["activation_fn"] = ACTIVATIONS[name]
    interval = kwargs.get("target_update_interval", 1)
    if not isinstance(interval, int) or interval < 1:
        raise ConfigError(f"{where}: target_update_interval must be a whole number from 1, got {interval}")
    return kwargs


def _refuse_unknown(entries: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in entries:
        if name not in known:
            raise ConfigError(f"{where}: unknown entry {name}{nearest(name, known)}")


def _random_state() -> dict[str, Any]:
    """SB3 samples with NumPy's global generator and explores with PyTorch's."""
    _, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [torch.from_numpy(np.asarray(keys, np.int64)), int(position), int(has_gauss), float(gauss)],
    }


def _set_random_state(state: dict[str, Any]) -> None:
    keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state(("MT19937", keys.cpu().numpy().astype(np.uint32), position, has_gauss, gauss))
    torch.set_rng_state(state["torch"].cpu())
    if len(state["cuda"]) == torch.cuda.device_count():  # on another machine there may be another number
        torch.cuda.set_rng_state_all([one.cpu() for one in state["cuda"]])
