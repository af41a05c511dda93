"""``drone_node`` in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence

from rtgym_ros.nodes.robot_process import RobotProcess


class DroneProcess(RobotProcess):
    """Runs ``drone_node`` while entered.

    Args:
        namespace: of its node.
        parameters: ``NAME:=VALUE`` overrides.
        params_file: a parameter file, None for the defaults.
    """

    def __init__(self, namespace: str, parameters: Sequence[str] = (), params_file: str | None = None) -> None:
        super().__init__("drone_node", namespace, parameters, params_file)
