"""What a recording says about where it comes from."""

from __future__ import annotations

import json
import os
import platform
import sys
import uuid
from collections.abc import Mapping
from dataclasses import is_dataclass
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import gymnasium
from gymnasium import spaces

from rtgym_ros.record.parts import check_recordable
from rtgym_ros.record.space_text import space_to_text

FORMAT = "1"
"""Of the metadata; readers refuse another one."""
_PACKAGES = ("rtgym_ros", "gymnasium", "numpy", "mcap", "stable_baselines3", "torch")


def run_facts(env: gymnasium.Env[Any, Any], contract: str = "") -> dict[str, str]:
    """Return the metadata of a run: one environment, from its making to its closing.

    Args:
        env: its spaces, id and configuration are described.
        contract: the text of the robot's contract, where it has one.

    Returns:
        What :func:`facts_of` returns.

    Raises:
        ConfigError: a space that cannot be recorded.
    """
    name = env.spec.id if env.spec is not None else ""
    return facts_of(env.observation_space, env.action_space, name, _config(env), contract)


def facts_of(
    observation_space: spaces.Space[Any],
    action_space: spaces.Space[Any],
    environment: str,
    config: Mapping[str, Any],
    contract: str,
) -> dict[str, str]:
    """Return the metadata of a run.

    Args:
        observation_space: of its observations.
        action_space: of its actions.
        environment: its Gymnasium id, '' without one.
        config: plain entries of its configuration.
        contract: the text of the robot's contract, '' without one.

    Returns:
        ``format``, ``run`` (a random id), ``created`` (UTC), ``environment``, ``observation_space``, ``action_space``,
        ``config``, ``versions``, ``machine`` (JSON each), ``contract``.

    Raises:
        ConfigError: a space that cannot be recorded.
    """
    check_recordable(observation_space, "observation_space")
    check_recordable(action_space, "action_space")
    return {
        "format": FORMAT,
        "run": uuid.uuid4().hex,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "environment": environment,
        "observation_space": space_to_text(observation_space),
        "action_space": space_to_text(action_space),
        "config": json.dumps(dict(config)),
        "versions": json.dumps(_versions()),
        "machine": json.dumps(
            {"name": platform.node(), "system": platform.platform(), "processor": platform.machine()}
            | {"cpus": os.cpu_count()}
        ),
        "contract": contract,
    }


def _config(env: gymnasium.Env[Any, Any]) -> dict[str, Any]:
    """Return the numbers, flags and texts of a real-time environment's configuration."""
    config = getattr(env.unwrapped, "config", None)
    return plain_config(config) if is_dataclass(config) and not isinstance(config, type) else {}


def plain_config(config: Any) -> dict[str, Any]:
    """Return the numbers, flags and texts of a configuration, a dataclass; infinities as text."""
    names = [
        name for name in config.__dataclass_fields__ if isinstance(getattr(config, name), bool | int | float | str)
    ]
    return {name: _plain(getattr(config, name)) for name in names}


def _plain(value: Any) -> Any:
    """Return ``inf`` as text: JSON has no infinities."""
    return str(value) if isinstance(value, float) and abs(value) == float("inf") else value


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "ros": os.environ.get("ROS_DISTRO", "")}
    for name in _PACKAGES:
        # What is not imported takes no part in the flight.
        if name in sys.modules:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                found[name] = "not installed"
    return found
