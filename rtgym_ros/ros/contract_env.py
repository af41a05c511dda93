"""``gymnasium.make("rtgym_ros/Contract-v0", contract="robot.yaml")``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rclpy.node import Node

from rtgym_ros.contract.grammar.reader import read_contract
from rtgym_ros.contract.grammar.rules.guard import guard_timeout
from rtgym_ros.contract.load_code import load_code
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.shipped import find_contract
from rtgym_ros.contract.task import Task
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.envs.real_time_env import RealTimeEnv
from rtgym_ros.ros.contract_interface import ContractInterface

if TYPE_CHECKING:
    from rtgym_ros.ros.hosting.remote_env import RemoteContractEnv

_OF_THE_CONTRACT = ("phase", "late_action")
"""Keys of the section `time` that are no entries of the environment's configuration."""


def make_contract_env(
    contract: str | Path | Contract,
    config: Mapping[str, Any] | None = None,
    task: Task | str | None = None,
    guard: bool | str = False,
    node: str | Node | Callable[[], Node] | None = None,
    render_mode: str | None = None,
    namespace: str = "",
    node_name: str | None = None,
    allow_code_beside: bool = False,
    interface: type[ContractInterface] = ContractInterface,
    node_timeout: float = 5.0,
) -> RealTimeEnv | RemoteContractEnv:
    """Make the environment of a robot under a contract: here, or the near side of one that ``env_node`` hosts.

    Args:
        contract: path of the file, relative to the working directory; or the name of one that comes with the package
            (``drone``, ``drone_tutorial``, ``diff_drive``, ``arm``); or a contract that was read.
        config: entries of the environment's configuration that replace those of the contract's section ``time``.
        task: in place of the contract's: a task, or ``module:Class`` of one without arguments.
        guard: False: commands go to the robot; True: to its guard, which must be up; or the name of the guard's input.
        node: the name of an ``env_node`` that hosts the environment, ``"/robot/env"``: configuration, task and guard
            are that node's. None: one of its own in this process, with ``~/record`` and the parameters of ``env_node``
            that may change. Otherwise a node that exists, in place of one of its own; a function that returns it where
            Gymnasium has to copy the arguments.
        render_mode: None, ``"human"`` or ``"rgb_array"``.
        namespace: where the robot's topics are.
        node_name: of the node in this process; the robot's name and ``_env`` by default.
        allow_code_beside: whether code that the contract names may lie beside its file.
        interface: class of the interface, for one that does more.
        node_timeout: how long ``env_node`` may take to answer at once, and how late its time-steps may come (s).

    Raises:
        ContractError: the contract cannot be used.
        ConfigError: another argument cannot.
        InterfaceTimeoutError: there is no such ``env_node``, or it does not answer.
        StateError: that is not active.
    """
    if not isinstance(node, str):
        return make_local_env(
            contract,
            config,
            task,
            guard,
            node,
            render_mode,
            namespace,
            node_name,
            allow_code_beside,
            interface,
            offers=node is None,
        )
    of_the_node = {"config": config, "task": task, "guard": guard, "render_mode": render_mode}
    given = [name for name, value in of_the_node.items() if value]
    if given or interface is not ContractInterface:
        raise ConfigError(f"{(given or ['interface'])[0]} is that of env_node {node}, and cannot be given here")
    from rtgym_ros.ros.hosting.remote_env import RemoteContractEnv

    read = contract if isinstance(contract, Contract) else read_contract(find_contract(contract))
    return RemoteContractEnv(read, node, namespace=namespace, agent_name=node_name, timeout=node_timeout)


def make_local_env(
    contract: str | Path | Contract,
    config: Mapping[str, Any] | None = None,
    task: Task | str | None = None,
    guard: bool | str = False,
    node: Node | Callable[[], Node] | None = None,
    render_mode: str | None = None,
    namespace: str = "",
    node_name: str | None = None,
    allow_code_beside: bool = False,
    interface: type[ContractInterface] = ContractInterface,
    *,
    offers: bool = False,
) -> RealTimeEnv:
    """Make the environment of a robot under a contract, with its clock in this process.

    The arguments are those of :func:`make_contract_env`; with ``offers`` its node, one of its own, has ``~/record`` and
    parameters that may change: a :class:`~rtgym_ros.ros.hosting.contract_env.ContractEnv`.

    Raises:
        ContractError: the contract cannot be used.
        ConfigError: another argument cannot.
    """
    read = contract if isinstance(contract, Contract) else read_contract(find_contract(contract))
    entries = {**contract_entries(read), **(config or {})}
    if "interface" in entries:
        raise ConfigError("config['interface'] is the contract's: leave it out")
    timing = RealTimeConfig.from_mapping({**entries, "interface": interface})
    duration = timing.time_step_duration
    interface_kwargs = {
        "contract": read,
        "task": _task(read, task, allow_code_beside),
        "guard": guard,
        "time_step_duration": duration,
        "act_buf_len": int(timing.act_buf_len),
        "elasticity": duration * timing.time_step_timeout_factor,
        "node_name": node_name or f"{read.robot}_env",
        "namespace": namespace,
        "node": node,
        "allow_code_beside": allow_code_beside,
    }
    settings: dict[str, Any] = {**entries, "interface": interface, "interface_kwargs": interface_kwargs}
    if not offers:
        return RealTimeEnv(settings, render_mode=render_mode)
    from rtgym_ros.ros.hosting.contract_env import ContractEnv, in_process_parameters

    interface_kwargs["parameters"] = in_process_parameters(timing)
    return ContractEnv(settings, render_mode=render_mode)


def contract_entries(contract: Contract) -> dict[str, Any]:
    """Return the entries of the environment's configuration that the contract stands for."""
    entries = {name: value for name, value in contract.time.items() if name not in _OF_THE_CONTRACT}
    # The contract's own checks know which bounds a part has, and what is to happen outside of them.
    entries.setdefault("observation_check", "off")
    if any(part.out_of_bounds == "fail" for part in contract.action.values()):
        entries["out_of_bounds_action"] = "raise"
    if any(gate.when_lost == "wait" for gate in contract.gates.values()):
        # A capture may wait for a gate as long as any other call to the interface.
        entries.setdefault("get_obs_timeout", entries.get("interface_timeout", RealTimeConfig.interface_timeout))
    if contract.guard is not None and "agent_timeout" not in entries:
        duration = entries.get("time_step_duration", RealTimeConfig.time_step_duration)
        # What a guard would do, after the same silence.
        entries["agent_timeout"] = max(guard_timeout(contract) - duration, duration)
    return entries


def _task(contract: Contract, task: Task | str | None, beside: bool) -> Task | None:
    if not isinstance(task, str):
        if task is not None and not isinstance(task, Task):
            raise ConfigError(f"task must be a Task or 'module:Class', got {task!r}")
        return task
    made = load_code(contract, ("task", "class"), task, allow_beside=beside)
    if not isinstance(made, type) or not issubclass(made, Task):
        raise ConfigError(f"task {task!r} is no subclass of {Task.__module__}:Task")
    return made()
