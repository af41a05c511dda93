"""The parameters of a node that has an environment: entries that may change while it runs, others that may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.ros.parameters import Bounded, Flag, Parameter, Text, declare

_ENDLESS = {"time_step_timeout_factor": -1.0, "agent_timeout": -1.0, "ep_max_length": 0}
"""How a parameter says infinity, which a range cannot."""

RUNTIME = (
    Bounded("time_step_duration", 0.05, 0.0005, 60.0, "duration of a time-step (s)", read_only=False),
    Bounded(
        "start_obs_capture",
        0.05,
        0.0,
        60.0,
        "when the observation is captured, from the start of the time-step (s); where it is the end, it stays the end",
        read_only=False,
    ),
    Bounded(
        "time_step_timeout_factor",
        1.0,
        -1.0,
        1e6,
        "elasticity: how late a time-step may begin (time-steps); -1: never too late",
        read_only=False,
    ),
    Bounded("ep_max_length", 0, 0, 2**31 - 1, "time-steps until an episode is truncated; 0: never", read_only=False),
    Bounded(
        "agent_timeout",
        1.0,
        -1.0,
        3600.0,
        "how long after the end of a time-step no action may come before the safe action is sent (s); -1: for ever",
        read_only=False,
    ),
)
"""They apply from the next time-step on; their defaults are the contract's."""

RECORD_FOLDER = Text("record_folder", "recordings", "folder that ~/record writes to")

FIXED: tuple[Parameter, ...] = (
    Flag("autostart", True, "configure and activate when the node starts"),
    Text("guard", "", "name of the guard's input that commands go to; empty: to the robot itself"),
    RECORD_FOLDER,
)
"""Those of ``env_node``."""


def runtime_parameters(config: RealTimeConfig) -> list[Bounded]:
    """Return :data:`RUNTIME` with the defaults of a configuration, which are within the bounds whatever they are."""
    parameters = []
    for each in RUNTIME:
        value = _to_parameter(each.name, getattr(config, each.name))
        parameters.append(replace(each, default=value, low=min(each.low, value), high=max(each.high, value)))
    return parameters


class HostParameters:
    """Declares them and holds what is set to the rules of the configuration.

    Args:
        node: whose they are.
        config: that of the environment.
        apply: given entries of the configuration that have been changed; it must not wait.
        fixed: read-only parameters.

    Raises:
        ConfigError: a value is of the wrong type or out of bounds.

    Attributes:
        fixed: values of the read-only parameters.
    """

    def __init__(
        self,
        node: Node,
        config: RealTimeConfig,
        apply: Callable[[Mapping[str, Any]], None],
        fixed: Sequence[Parameter],
    ) -> None:
        self._config = config
        self._apply = apply
        values = declare(node, [*fixed, *runtime_parameters(config)], complete=False)
        self.fixed = {each.name: values[each.name] for each in fixed}
        given = {each.name: _from_parameter(each.name, values[each.name]) for each in RUNTIME}
        self._config = replace(config, **self._completed(given))
        node.set_parameters(
            [
                RosParameter(
                    "start_obs_capture", value=_to_parameter("start_obs_capture", self._config.start_obs_capture)
                )
            ]
        )
        node.add_pre_set_parameters_callback(self._complete)
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._take)

    @property
    def entries(self) -> dict[str, Any]:
        """The entries of the configuration that may change, as they are now."""
        return {each.name: getattr(self._config, each.name) for each in RUNTIME}

    def _completed(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the changes, with the capture at the end of the time-step where it was there before."""
        before = self._config
        duration = changes.get("time_step_duration", before.time_step_duration)
        capture = changes.get("start_obs_capture", before.start_obs_capture)
        if capture == before.start_obs_capture == before.time_step_duration != duration:
            capture = duration
        return {**changes, "time_step_duration": duration, "start_obs_capture": capture}

    def _complete(self, parameters: list[RosParameter[Any]]) -> list[RosParameter[Any]]:
        given = {parameter.name: parameter for parameter in parameters}
        duration = given.get("time_step_duration")
        if duration is None or "start_obs_capture" in given or not isinstance(duration.value, float):
            return parameters
        capture = self._completed({"time_step_duration": duration.value})["start_obs_capture"]
        return [*parameters, RosParameter("start_obs_capture", value=capture)]

    def _changes(self, parameters: Sequence[RosParameter[Any]]) -> dict[str, Any]:
        names = {each.name for each in RUNTIME}
        return {each.name: _from_parameter(each.name, each.value) for each in parameters if each.name in names}

    def _check(self, parameters: Sequence[RosParameter[Any]]) -> SetParametersResult:
        try:
            replace(self._config, **self._changes(parameters))
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _take(self, parameters: Sequence[RosParameter[Any]]) -> None:
        changes = self._changes(parameters)
        if changes:
            self._config = replace(self._config, **changes)
            self._apply(changes)


def _from_parameter(name: str, value: Any) -> Any:
    return inf if name in _ENDLESS and value == _ENDLESS[name] else value


def _to_parameter(name: str, value: Any) -> Any:
    if name in _ENDLESS and value == inf:
        return _ENDLESS[name]
    return int(value) if name == "ep_max_length" else float(value)
