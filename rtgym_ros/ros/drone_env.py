"""``gymnasium.make("rtgym_ros/Drone-v0")``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rclpy.node import Node

from rtgym_ros.envs.real_time_env import RealTimeEnv
from rtgym_ros.ros.contract_env import make_contract_env

if TYPE_CHECKING:
    from rtgym_ros.ros.hosting.remote_env import RemoteContractEnv

CONTRACT = "drone_tutorial"


def make_drone_env(
    render_mode: str | None = None,
    namespace: str = "",
    node_name: str = "drone_env",
    config: Mapping[str, Any] | None = None,
    node: str | Node | Callable[[], Node] | None = None,
    guard: bool | str = False,
    node_timeout: float = 5.0,
) -> RealTimeEnv | RemoteContractEnv:
    """Make the tutorial's environment for the drone of a running ``drone_node``, by the contract ``drone_tutorial``.

    Observation: x, y, target x, target y, each float32 of shape (1,), in m. Action: velocity x, y, float32, in m/s.
    Info: see :class:`~rtgym_ros.ros.contract_interface.ContractInterface`; ``distance`` to the target (m),
    ``is_success``.

    Args:
        render_mode: None, ``"human"`` or ``"rgb_array"``.
        namespace: where the drone's topics are.
        node_name: of the environment's node.
        config: entries of the configuration that replace the tutorial's.
        node: the name of an ``env_node`` that hosts the environment, of the contract ``drone_tutorial``: configuration
            and guard are that node's; or a node that exists, in place of one of its own: a function that returns it
            where Gymnasium has to copy the arguments (``gymnasium.make(..., node=lambda: node)``).
        guard: whether commands go to the drone's guard, which must be up, and not to the drone itself.
        node_timeout: how long ``env_node`` may take to answer at once, and how late its time-steps may come (s).
    """
    return make_contract_env(
        CONTRACT,
        config,
        guard=guard,
        node=node,
        render_mode=render_mode,
        namespace=namespace,
        node_name=node_name,
        node_timeout=node_timeout,
    )
