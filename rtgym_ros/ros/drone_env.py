"""``gymnasium.make("rtgym_ros/Drone-v0")``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rclpy.node import Node

from rtgym_ros.envs.real_time_env import RealTimeEnv
from rtgym_ros.robots.drone import task
from rtgym_ros.ros.drone_interface import DroneInterface


def make_drone_env(
    render_mode: str | None = None,
    namespace: str = "",
    node_name: str = "drone_env",
    config: Mapping[str, Any] | None = None,
    node: Node | Callable[[], Node] | None = None,
) -> RealTimeEnv:
    """Make the tutorial's environment for the drone of a running ``drone_node``.

    Args:
        render_mode: None, ``"human"`` or ``"rgb_array"``.
        namespace: where the drone's topics are.
        node_name: of the environment's node.
        config: entries of the configuration that replace the tutorial's.
        node: a node that exists, in place of one of its own: a function that returns it where Gymnasium has to copy the
            arguments (``gymnasium.make(..., node=lambda: node)``).
    """
    tutorial = {
        "interface": DroneInterface,
        "interface_kwargs": {"node_name": node_name, "namespace": namespace, "node": node},
        "time_step_duration": task.TIME_STEP_DURATION,
        "ep_max_length": task.EPISODE_TIME_STEPS,
        "act_buf_len": 4,
        "reset_act_buf": False,
    }
    return RealTimeEnv({**tutorial, **(config or {})}, render_mode=render_mode)
