"""The ROS parameters that every simulated robot has, with the defaults of its kind."""

from __future__ import annotations

from typing import Any

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.delays.named_profile import make_profile
from rtgym_ros.robots.simulated_robot import RobotParameters
from rtgym_ros.ros.parameters import Bounded, Flag, Parameter, Text

_LONGEST_DELAY = 10.0


def common_parameters(defaults: RobotParameters, stops: str) -> tuple[Parameter, ...]:
    """Return the parameters of link, sampling, randomness and truth log.

    Args:
        defaults: of this kind of robot; its ``command_timeout`` must be finite.
        stops: what this kind does when it has no command, for the description of ``command_timeout``.
    """
    d = defaults
    return (
        *(_delay(d, link, end) for link in ("command", "observation") for end in ("min", "max")),
        *(_profile(d, link) for link in ("command", "observation")),
        Bounded("command_loss", d.command_loss, 0.0, 1.0, "probability that a command is lost"),
        Bounded("observation_loss", d.observation_loss, 0.0, 1.0, "probability that an observation is lost"),
        Flag(
            "apply_at_stamp",
            d.apply_at_stamp,
            "apply a command at its stamp, up to 1 s after its arrival, which makes the delay constant; "
            "one that comes too late is applied at once",
        ),
        Bounded("sampling_period", d.sampling_period, 0.001, 1.0, "between two samples (s)"),
        Bounded(
            "command_timeout", d.command_timeout, 0.02, 3600.0, f"{stops} when no command has come for so long (s)"
        ),
        Bounded("seed", -1, -1, 2**31 - 1, "of everything random; -1 draws one"),
        Text("truth_log", "", "file to which commands, their application and samples are appended; empty: none"),
    )


def check_delays(values: dict[str, Any]) -> None:
    """Check what the bounds of single parameters cannot.

    Raises:
        ConfigError: a shortest delay is longer than the longest, or a profile is unknown.
    """
    for link in ("command", "observation"):
        low, high = values[f"{link}_delay_min"], values[f"{link}_delay_max"]
        if low > high:
            raise ConfigError(f"parameter '{link}_delay_min' must be at most '{link}_delay_max' ({high}), got {low}")
        try:
            make_profile(values[f"{link}_delay_profile"], low, high)
        except ConfigError as error:
            raise ConfigError(f"parameter '{link}_delay_profile': {error}") from error


def _profile(defaults: RobotParameters, link: str) -> Text:
    name = f"{link}_delay_profile"
    return Text(
        name, getattr(defaults, name), "distribution: constant, uniform, gamma, bursty, wifi or recorded:FILE (JSON)"
    )


def _delay(defaults: RobotParameters, link: str, end: str) -> Bounded:
    kind = {"min": "shortest", "max": "longest"}[end]
    article = {"command": "a command", "observation": "an observation"}[link]
    name = f"{link}_delay_{end}"
    return Bounded(name, getattr(defaults, name), 0.0, _LONGEST_DELAY, f"{kind} delay of {article} (s)")
