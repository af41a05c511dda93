"""The environment, policy and sample layout that a configuration asks for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import gymnasium
import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.config import EnvironmentConfig, WorkerConfig
from rtgym_ros.train.locate import locate
from rtgym_ros.train.policy.make_policy import make_policy
from rtgym_ros.train.policy.policy import Policy
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.worker.sample_compressor import SampleCompressor
from rtgym_ros.train.worker.sample_writer import SampleLayout


def make_env(config: EnvironmentConfig) -> gymnasium.Env[Any, Any]:
    """Return the environment, preprocessed; the caller closes it.

    Raises:
        ConfigError: a module or the id is not known.
    """
    for module in config.modules:
        try:
            import_module(module)
        except ImportError as error:
            raise ConfigError(f"environment.modules: {module!r}: {error}") from error
    try:
        # Unknown keyword arguments are a TypeError, and so are many other things: those come out as they are.
        env: gymnasium.Env[Any, Any] = gymnasium.make(config.id, **config.kwargs)
    except gymnasium.error.UnregisteredEnv as error:
        raise ConfigError(f"environment.id {config.id!r}: {error}") from error
    if config.observation_preprocessor is not None:
        try:
            env = locate(config.observation_preprocessor, "environment.observation_preprocessor")(env)
        except BaseException:
            env.close()
            raise
    return env


class HasSpaces(Protocol):
    """An environment, or a recording of one."""

    @property
    def observation_space(self) -> spaces.Space[Any]:
        """The space of observations."""

    @property
    def action_space(self) -> spaces.Space[Any]:
        """The space of actions."""


def make_layout(config: EnvironmentConfig, env: HasSpaces, policy: Policy | None = None) -> SampleLayout:
    """Return the layout of the samples of an environment made by :func:`make_env`, with what ``policy`` tells.

    Raises:
        ConfigError: there is no such compressor, or a space has no fixed shape.
    """
    compressor: SampleCompressor | None = None
    if config.sample_compressor is not None:
        compressor = locate(config.sample_compressor, "environment.sample_compressor")()
    return SampleLayout(
        env.observation_space,
        env.action_space,
        compressor,
        config.delays,
        config.info,
        policy.extra_shapes if policy else None,
        config.executed_action,
        config.intervention,
    )


def make_worker_policy(config: WorkerConfig, env: gymnasium.Env[Any, Any], policy_file: Path | None = None) -> Policy:
    """Return the worker's policy, with the weights of a file if there is one.

    Raises:
        ConfigError: there is no such policy, or the file cannot be read.
        ProtocolError: the weights do not fit.
    """
    policy = make_policy(config.policy, env.observation_space, env.action_space, np.random.default_rng())
    if policy_file is not None:
        try:
            policy.adopt(PolicyWeights.load(policy_file))
        except OSError as error:
            raise ConfigError(f"{policy_file}: {error.strerror}") from error
    return policy
