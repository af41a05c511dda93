"""``env_node``, and an agent that commands the robot through it until it is ended."""

from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy as np

import rtgym_ros  # noqa: F401 (registers the environments)
from rtgym_ros.nodes import env_node

_ACTION = (0.2, 0.5)
"""m/s, rad/s."""

_PATIENCE_S = 60.0
"""How long the agent waits for time-steps that do not come (s): it lives on."""


def host(contract: Path, namespace: str, node: str) -> None:
    """Host the environment behind the guard."""
    ros = ["--ros-args", "-r", f"__ns:={namespace}", "-r", f"__node:={node}", "-p", "guard:=agent"]
    env_node.main(["env_node", str(contract), *ros])


def fly(contract: Path, namespace: str, node: str) -> None:
    """Answer each time-step with the same action."""
    env = gymnasium.make(
        "rtgym_ros/Contract-v0",
        contract=str(contract),
        node=f"{namespace}/{node}",
        node_timeout=_PATIENCE_S,
        disable_env_checker=True,
    )
    env.reset()
    while True:
        env.step(np.array(_ACTION, np.float32))
