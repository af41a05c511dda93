"""The action that an environment sends by itself when it is reset."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces


def default_action(env: gymnasium.Env[Any, Any]) -> Any:
    """Return the environment's default action where it tells it and it is in the action space, else a neutral one."""
    inner = env.unwrapped
    told = getattr(inner, "default_action", None)
    if told is None and hasattr(inner, "get_default_action"):
        told = inner.get_default_action()
    return told if told is not None and env.action_space.contains(told) else neutral_action(env.action_space)


def neutral_action(space: spaces.Space[Any]) -> Any:
    """Return zero, or what is nearest to it in the space; the first choice where there are only choices."""
    if isinstance(space, spaces.Tuple):
        return tuple(neutral_action(inner) for inner in space.spaces)
    if isinstance(space, spaces.Dict):
        return {key: neutral_action(inner) for key, inner in space.spaces.items()}
    if isinstance(space, spaces.Box):
        return np.clip(np.zeros(space.shape, space.dtype), space.low, space.high).astype(space.dtype)
    if isinstance(space, spaces.Discrete):
        return space.start
    if isinstance(space, spaces.MultiDiscrete):
        return np.asarray(space.start, space.dtype).reshape(space.shape)
    return np.zeros(space.shape or (), space.dtype)
