"""The environment that a configuration asks for, and the action that it sends by itself when it is reset."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import gymnasium
from gymnasium.wrappers.utils import create_zero_array

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.locate import locate
from rtgym_ros.train.config import EnvironmentConfig


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


def default_action(env: gymnasium.Env[Any, Any]) -> Any:
    """Return the environment's default action where it tells it and it is in the action space, else zero or nearest."""
    inner = env.unwrapped
    told = getattr(inner, "default_action", None)
    if told is None and hasattr(inner, "get_default_action"):
        told = inner.get_default_action()
    return told if told is not None and env.action_space.contains(told) else create_zero_array(env.action_space)
