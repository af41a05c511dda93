"""The drone that the tutorial flies: its own, in a namespace of its own, or with ``--attach`` one that is there."""

from __future__ import annotations

import argparse
import re
import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import pairwise
from time import monotonic, sleep
from typing import TYPE_CHECKING

from rclpy.node import Node

from rtgym_ros.core.errors import ConfigError, InterfaceTimeoutError, RtgymError
from rtgym_ros.nodes.drone_process import DroneProcess
from rtgym_ros.ros.discovery import DISCOVERY_S

if TYPE_CHECKING:  # in newer rclpy the module is called endpoint_info
    from rclpy.topic_endpoint_info import TopicEndpointInfo

_START_S = 30.0
"""How long the drone's topics may take to appear (s)."""

_OLDEST_POSE_S = 1.0
"""A drone samples its pose every 10 ms: without one for this long it is gone (s)."""

_WAY_OUT = "give this flight a namespace (--ros-args -r __ns:=/NAME) or a ROS_DOMAIN_ID of its own"


class DroneEndedError(RtgymError):
    """The process of the drone ended before its flight did.

    Args:
        exit_code: of the process; negative for a signal.
        has_said_why: whether it ended by itself, with a line on stderr.
    """

    def __init__(self, exit_code: int, has_said_why: bool) -> None:
        super().__init__(f"the drone is gone: drone_node ended with exit code {exit_code}")
        self.exit_code = exit_code if exit_code > 0 else 1
        self.has_said_why = has_said_why


def in_own_namespace(command_line: Sequence[str]) -> list[str]:
    """Return a command line of which the nodes are in a namespace that no other flight has, within its own one."""
    outer = "/"
    for previous, argument in pairwise(command_line):
        if previous in ("-r", "--remap") and (match := re.fullmatch(r"(?:\S+:)?__ns:=(\S+)", argument)):
            outer = match[1]
            break
    rule = f"__ns:={outer.rstrip('/')}/drone_{secrets.token_hex(3)}"
    # The first rule that matches is the one that ROS applies.
    return [command_line[0], "--ros-args", "-r", rule, "--", *command_line[1:]]


class TutorialDrone:
    """Starts or finds the drone of a flight, and notices when it is gone.

    Args:
        options: of the command line: ``attach``, ``params_file``, ``seed``, ``with_others``.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._process: DroneProcess | None = None

    def start(self, stack: ExitStack, namespace: str, use_sim_time: str) -> None:
        """Start its process, unless with ``--attach``.

        Args:
            stack: ends the process.
            namespace: of its node.
            use_sim_time: override of that parameter.
        """
        if not self._options.attach:
            parameters = (f"seed:={self._options.seed}", use_sim_time)
            self._process = DroneProcess(namespace, parameters, self._options.params_file)
            stack.enter_context(self._process)

    def find(self, node: Node) -> None:
        """Return once its topics are there and, but for ``--with-others``, nobody else is on them.

        Args:
            node: of the agent that flies it.

        Raises:
            RtgymError: there is no drone, it has ended, or others are on its topics.
        """
        self._node = node
        if not _wait_until(lambda: self._is_there() or self._has_ended(), _START_S):
            raise InterfaceTimeoutError(self._absence())
        self._check_process(at_start=True)
        if self._options.attach and not self._options.with_others:
            sleep(DISCOVERY_S)
            self._refuse_others()

    def check(self, pose_age: float | None) -> None:
        """Notice that it is gone.

        Args:
            pose_age: of the newest pose (s); None where it is not known.

        Raises:
            RtgymError: it is.
        """
        self._check_process()
        if pose_age is not None and pose_age > _OLDEST_POSE_S:
            raise InterfaceTimeoutError(f"the drone is gone: its last pose is {pose_age:.1f} s old")

    def explain(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Say that its process has ended where a flight fails for that, an observation that stays away for example.

        Raises:
            DroneEndedError: it has, and ``error`` is one of this package.
        """
        if isinstance(error, RtgymError):
            self._check_process()

    def _has_ended(self) -> bool:
        return self._process is not None and self._process.exit_code is not None

    def _check_process(self, at_start: bool = False) -> None:
        code = None if self._process is None else self._process.exit_code
        if code is not None:
            raise DroneEndedError(code, has_said_why=at_start and code > 0)

    def _is_there(self) -> bool:
        topics = self._node.count_publishers("pose"), self._node.count_publishers("applied_action")
        return all(topics) and self._node.count_subscribers("cmd_vel") > 0

    def _absence(self) -> str:
        where = self._node.get_namespace()
        poses = _names(self._node.get_publishers_info_by_topic("pose"))
        if poses and not self._node.count_publishers("applied_action"):
            return f"{', '.join(poses)} publishes pose in {where}, and is no drone_node: {_WAY_OUT}"
        return f"no drone_node has appeared in namespace {where} for {_START_S:g} s"

    def _refuse_others(self) -> None:
        drones = _names(self._node.get_publishers_info_by_topic("applied_action"))
        if len(drones) > 1:
            raise ConfigError(f"there are {len(drones)} drones ({', '.join(drones)}): {_WAY_OUT}")
        for topic, what, nodes in (
            ("pose", "publishes", self._node.get_publishers_info_by_topic("pose")),
            ("cmd_vel", "would obey", self._node.get_subscriptions_info_by_topic("cmd_vel")),
        ):
            if others := sorted(set(_names(nodes)) - set(drones)):
                raise ConfigError(
                    f"{', '.join(others)} {what} {topic} too: {_WAY_OUT}, or say --with-others to fly all the same"
                )


def _names(endpoints: Sequence[TopicEndpointInfo]) -> list[str]:
    return sorted(f"{end.node_namespace.rstrip('/')}/{end.node_name}" for end in endpoints)


def _wait_until(condition: Callable[[], bool], timeout: float) -> bool:
    deadline = monotonic() + timeout
    while not condition():
        if monotonic() > deadline:
            return False
        sleep(0.01)
    return True
