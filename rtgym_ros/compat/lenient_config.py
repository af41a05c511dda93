"""Entries of a configuration that Real-Time Gym takes and this package does not: the nearest that means the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from rtgym_ros.core.caller_warning import warn_caller
from rtgym_ros.core.config_rules import RULES
from rtgym_ros.core.errors import ConfigWarning


def lenient(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a configuration with each entry that is not valid replaced by the nearest that is.

    What has no such meaning is left as it is, to be refused with everything else that is wrong.

    Warns:
        ConfigWarning: an entry was replaced.
    """
    entries = dict(config)
    for name, nearest in _NEAREST.items():
        if name not in entries:
            continue
        given, is_valid = entries[name], RULES[name][1]
        try:
            if is_valid(given):
                continue
            taken = nearest(given)
        except (TypeError, ValueError, OverflowError):
            continue
        if is_valid(taken):
            entries[name] = taken
            warn_caller(f"config[{name!r}] = {given!r} is taken as {taken!r}", ConfigWarning)
    return entries


def _length(value: float) -> float:
    """Return the first whole number of time-steps that is not less; of NaN nothing ever is."""
    return math.inf if math.isnan(value) else max(math.ceil(value), 1)


def _factor(value: float) -> float:
    return 0.0 if math.isnan(value) else max(float(value), 0.0)


def _weight(value: float) -> float:
    return min(max(float(value), 1e-9), 1.0)


def _function(value: Any) -> Any:
    return value or None


_NEAREST: dict[str, Callable[[Any], Any]] = {
    "interface_args": tuple,
    "interface_kwargs": dict,
    "time_step_duration": lambda value: max(float(value), 1e-6),
    "start_obs_capture": lambda value: max(float(value), 0.0),
    "time_step_timeout_factor": _factor,
    "ep_max_length": _length,
    "act_in_obs": bool,
    "reset_act_buf": bool,
    "benchmark": bool,
    "benchmark_polyak": _weight,
    "benchmark_type": lambda _value: "trace",
    "wait_on_done": bool,
    "last_act_on_reset": bool,
    "act_prepro_func": _function,
    "obs_prepro_func": _function,
}
"""What Real-Time Gym makes of an entry that is not valid here, as a valid one."""
