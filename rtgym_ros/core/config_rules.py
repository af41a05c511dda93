"""What each entry of the configuration may be, what does not go together, and what old entries mean today."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from numbers import Integral, Real
from typing import Any

from rtgym_ros.core.caller_warning import warn_caller
from rtgym_ros.core.errors import ConfigError, ConfigWarning


def check_entries(entries: Mapping[str, Any]) -> None:
    """Check every entry by itself, then all of them together.

    Raises:
        ConfigError: an entry is of the wrong type or out of range, or two of them contradict each other.

    Warns:
        ConfigWarning: two of them work together, but hardly as intended.
    """
    for name, (allowed, is_valid) in RULES.items():
        if not is_valid(entries[name]):
            raise ConfigError(f"config[{name!r}] must be {allowed}, got {entries[name]!r}")
    if entries["act_in_obs"] and entries["act_buf_len"] == 0:
        raise ConfigError("config['act_buf_len'] must be at least 1 where config['act_in_obs'] is True, got 0")
    for doubt in _doubts(entries):
        warn_caller(doubt, ConfigWarning)


def _doubts(entries: Mapping[str, Any]) -> Iterator[str]:
    if entries["wait_on_done"] and not entries["reset_act_buf"]:
        yield (
            "config['wait_on_done'] is True and config['reset_act_buf'] is False: what the robot does in wait() is not "
            "in the action buffer, which reset() keeps; set config['reset_act_buf'] to True"
        )
    if entries["last_act_on_reset"] and entries["reset_act_buf"]:
        yield (
            "config['last_act_on_reset'] has no effect where config['reset_act_buf'] is True: the last action is then "
            "the default action"
        )
    if entries["observation_check"] != "raise" and entries["observation_arrays"] == "reused":
        yield (
            "config['observation_arrays'] = 'reused' has no effect where config['observation_check'] is not 'raise': "
            "observations are handed out as they come"
        )
    if entries["realtime_priority"] is not None and entries["spin"] and _has_one_cpu():
        yield (
            "config['realtime_priority'] is set and config['spin'] is True, and there is one CPU: nothing else runs on "
            "it while the clock spins; set config['spin'] to False"
        )
    longest = entries["time_step_duration"] * (1 + entries["time_step_timeout_factor"])
    if entries["start_obs_capture"] >= longest:
        yield (
            f"config['start_obs_capture'] is {entries['start_obs_capture']} s, and a time-step times out after "
            f"{longest:g} s: every time-step will"
        )


def without_obsolete(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a configuration dictionary with the entries of older generations translated or left out.

    Warns:
        DeprecationWarning: there is such an entry; it says what it means now.
    """
    entries = dict(config)
    for name, meaning in _OBSOLETE.items():
        if name in entries:
            value = entries.pop(name)
            meant = "is ignored" if value else "is ignored, though it was False"
            warn_caller(f"config[{name!r}] {meant}: {meaning}; remove it", DeprecationWarning)
    for name, new_name in _RENAMED.items():
        if name in entries:
            value = entries.pop(name)
            entries.setdefault(new_name, value)
            warn_caller(f"config[{name!r}] is now called config[{new_name!r}]", DeprecationWarning)
    return entries


def _has_one_cpu() -> bool:
    return (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()) == 1


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and not math.isnan(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_class(value: Any) -> bool:
    return callable(value) or (isinstance(value, str) and all(value.partition(":")))


def _is_optional_function(value: Any) -> bool:
    return value is None or callable(value)


_OBSOLETE = {
    "real_time": "time-steps are always held to the clock, there is no turn-based mode",
    "async_threading": "an observation is always captured on time, however late the caller is",
}
_RENAMED = {"running_average_factor": "benchmark_polyak"}

_Rule = tuple[str, Callable[[Any], bool]]
_FLAG: _Rule = ("True or False", _is_flag)
_FUNCTION: _Rule = ("a function or None", _is_optional_function)
RULES: dict[str, _Rule] = {
    "interface": ("a RealTimeGymInterface class, or its name as 'module:Class'", _is_class),
    "interface_args": ("a tuple or a list", lambda v: isinstance(v, (tuple, list))),
    "interface_kwargs": (
        "a dictionary with text keys",
        lambda v: isinstance(v, Mapping) and all(isinstance(k, str) for k in v),
    ),
    "time_step_duration": ("a number of seconds from 1e-6 up", lambda v: _is_number(v) and 1e-6 <= v < math.inf),
    "start_obs_capture": ("a number of seconds >= 0", lambda v: _is_number(v) and 0 <= v < math.inf),
    "time_step_timeout_factor": ("a number of time-steps >= 0", lambda v: _is_number(v) and v >= 0),
    "ep_max_length": (
        "a whole number of time-steps >= 1, or inf",
        lambda v: _is_number(v) and v >= 1 and (math.isinf(v) or v == int(v)),
    ),
    "act_in_obs": _FLAG,
    "act_buf_len": ("a whole number >= 0", lambda v: _is_number(v) and isinstance(v, Integral) and int(v) >= 0),
    "reset_act_buf": _FLAG,
    "benchmark": _FLAG,
    "benchmark_polyak": ("a number in (0, 1]", lambda v: _is_number(v) and 0 < v <= 1),
    "benchmark_type": ("'polyak' or 'trace'", lambda v: isinstance(v, str) and v.lower() in ("polyak", "trace")),
    "wait_on_done": _FLAG,
    "last_act_on_reset": _FLAG,
    "act_prepro_func": _FUNCTION,
    "obs_prepro_func": _FUNCTION,
    "action_check": ("'raise' or 'warn'", lambda v: v in ("raise", "warn")),
    "out_of_bounds_action": ("'clip', 'send' or 'raise'", lambda v: v in ("clip", "send", "raise")),
    "observation_check": ("'raise', 'warn' or 'off'", lambda v: v in ("raise", "warn", "off")),
    "observation_arrays": ("'fresh' or 'reused'", lambda v: v in ("fresh", "reused")),
    "delays": ("'info' or 'observed'", lambda v: v in ("info", "observed")),
    "time_in_info": _FLAG,
    "interface_timeout": ("a number of seconds > 0", lambda v: _is_number(v) and 0 < v < math.inf),
    "send_control_timeout": ("a number of seconds > 0", lambda v: _is_number(v) and 0 < v < math.inf),
    "get_obs_timeout": ("a number of seconds > 0", lambda v: _is_number(v) and 0 < v < math.inf),
    "agent_timeout": ("a number of seconds > 0, or inf", lambda v: _is_number(v) and v > 0),
    "spin": _FLAG,
    "switch_interval": (
        "a number of seconds from 1e-6 to 1, or None",
        lambda v: v is None or (_is_number(v) and 1e-6 <= v <= 1),
    ),
    "realtime_priority": (
        "a whole number from 1 to 99, or None",
        lambda v: v is None or (_is_whole(v) and 1 <= v <= 99),
    ),
    "cpu_affinity": (
        "a list of numbers of CPUs, or None",
        lambda v: (
            v is None or (isinstance(v, (list, tuple)) and len(v) > 0 and all(_is_whole(n) and n >= 0 for n in v))
        ),
    ),
    "lock_memory": _FLAG,
    "garbage_collection": ("'on', 'freeze' or 'slack'", lambda v: v in ("on", "freeze", "slack")),
}
