"""The configuration dictionary, validated once into a frozen record."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from rtgym_ros.core.caller_warning import warn_caller
from rtgym_ros.core.config_rules import check_entries, without_obsolete
from rtgym_ros.core.elastic_clock import NEVER_NS, ElasticClock
from rtgym_ros.core.errors import ConfigError, ConfigWarning, nearest
from rtgym_ros.core.time_source import to_ns

Preprocessor = Callable[[Any], Any]

process_defaults: dict[str, Any] = {}
"""Entries that have another default in this process, that of ``python -m rtgym_ros.compat``; where there are any,
unknown entries are ignored with a warning."""


@dataclass(frozen=True)
class RealTimeConfig:
    """A validated copy of the configuration; the keys, units and defaults are Real-Time Gym's, the last ones are ours.

    Attributes:
        interface: class (or factory) of the user's interface.
        interface_args: positional arguments of it.
        interface_kwargs: keyword arguments of it.
        time_step_duration: nominal duration of a time-step (s), positive.
        start_obs_capture: when the observation is captured, from the start of the time-step (s).
        time_step_timeout_factor: elasticity, in time-steps; ``inf`` never times out.
        ep_max_length: time-steps until truncation, a whole number from 1, or ``inf``.
        act_in_obs: append the action buffer to the observation.
        act_buf_len: length of the action buffer: the longest total delay, in time-steps.
        reset_act_buf: fill the action buffer with the default action at reset.
        benchmark: measure durations.
        benchmark_polyak: weight of the newest value in the running averages, in (0, 1].
        benchmark_type: ``"polyak"`` for running averages, ``"trace"`` for all values.
        wait_on_done: call the interface's ``wait`` when an episode ends.
        last_act_on_reset: ``reset`` sends the last action instead of the default action.
        act_prepro_func: applied to an action before it is sent.
        obs_prepro_func: applied to an observation of the interface, before the action buffer is appended.
        action_check: ``"raise"`` or ``"warn"`` (once, and send it) about an action that is not in its space.
        out_of_bounds_action: ``"clip"`` actions into the action space, ``"send"`` them (and warn once), or ``"raise"``.
        observation_check: ``"raise"`` or ``"warn"`` (once) about an observation outside of its space, or ``"off"``.
        observation_arrays: ``"fresh"`` ones with every observation, or ``"reused"``: read-only, and overwritten by the
            step after the next.
        delays: ``"observed"`` appends ``alpha``, ``kappa`` and ``beta``, which the interface's ``info`` must tell, to
            the observation; ``"info"`` leaves them there.
        time_in_info: ``info`` says when its time-step was (:mod:`rtgym_ros.envs.step_info`).
        interface_timeout: the longest that any method of the interface may take (s).
        send_control_timeout: the longest that ``send_control`` may take (s), where that is shorter.
        get_obs_timeout: the longest that ``get_obs_rew_terminated_info`` may take (s), where that is shorter.
        agent_timeout: how long after the end of a time-step nobody may call before the safe action is sent (s), or
            ``inf``.
        spin: spin for the last microseconds of a wait; without it the clock only sleeps, and is later.
        switch_interval: after how long (s) a thread that computes lets another one have the interpreter, while the
            environment is open, or None to leave it.
        realtime_priority: of SCHED_FIFO for the clock thread, 1 to 99, or None.
        cpu_affinity: numbers of the CPUs that the clock thread may run on, or None.
        lock_memory: keep the memory of the process from being paged out.
        garbage_collection: ``"on"``, ``"freeze"`` what is there at the first reset, or ``"slack"``: collect while the
            clock is waited for.

    Raises:
        ConfigError: a value is of the wrong type or out of range.
    """

    interface: Callable[..., Any]
    interface_args: tuple[Any, ...] = ()
    interface_kwargs: Mapping[str, Any] = field(default_factory=dict)
    time_step_duration: float = 0.05
    start_obs_capture: float = 0.05
    time_step_timeout_factor: float = 1.0
    ep_max_length: float = math.inf
    act_in_obs: bool = True
    act_buf_len: int = 1
    reset_act_buf: bool = True
    benchmark: bool = False
    benchmark_polyak: float = 0.1
    benchmark_type: str = "polyak"
    wait_on_done: bool = False
    last_act_on_reset: bool = False
    act_prepro_func: Preprocessor | None = None
    obs_prepro_func: Preprocessor | None = None
    action_check: str = "raise"
    out_of_bounds_action: str = "clip"
    observation_check: str = "raise"
    observation_arrays: str = "fresh"
    delays: str = "info"
    time_in_info: bool = True
    interface_timeout: float = 60.0
    send_control_timeout: float = 1.0
    get_obs_timeout: float = 1.0
    agent_timeout: float = 1.0
    spin: bool = True
    switch_interval: float | None = 1e-4
    realtime_priority: int | None = None
    cpu_affinity: tuple[int, ...] | None = None
    lock_memory: bool = False
    garbage_collection: str = "on"

    def __post_init__(self) -> None:
        """Check every entry, then freeze the containers."""
        check_entries({entry.name: getattr(self, entry.name) for entry in fields(self)})
        object.__setattr__(self, "interface_args", tuple(self.interface_args))
        if self.cpu_affinity is not None:
            object.__setattr__(self, "cpu_affinity", tuple(self.cpu_affinity))
        object.__setattr__(self, "interface_kwargs", MappingProxyType(dict(self.interface_kwargs)))

    def __getstate__(self) -> dict[str, Any]:
        """Return what to pickle: a read-only mapping cannot be."""
        return {**vars(self), "interface_kwargs": dict(self.interface_kwargs)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what was pickled."""
        vars(self).update(state, interface_kwargs=MappingProxyType(state["interface_kwargs"]))

    @classmethod
    def from_mapping(cls, config: Mapping[str, Any]) -> RealTimeConfig:
        """Build from a configuration dictionary, which is read and not kept.

        A missing ``start_obs_capture`` is the end of the time-step.

        Raises:
            ConfigError: a key is unknown (the message names the nearest known one), missing or its value is not valid.

        Warns:
            DeprecationWarning: a key of an older generation, which says what it means now.
            ConfigWarning: two entries hardly go together.
        """
        if not isinstance(config, Mapping):
            raise ConfigError(f"config must be a dictionary, got {config!r}")
        values = without_obsolete(config)
        known = [entry.name for entry in fields(cls)]
        for key in [key for key in values if key not in known]:
            unknown = f"config has no entry {key!r}{nearest(str(key), known)}"
            if not process_defaults:
                raise ConfigError(unknown)
            warn_caller(f"{unknown}: it is ignored", ConfigWarning)
            del values[key]
        if "interface" not in values:
            raise ConfigError("config['interface'] is missing: set it to your RealTimeGymInterface class")
        if "time_step_duration" in values:
            values.setdefault("start_obs_capture", values["time_step_duration"])
        return cls(**{**process_defaults, **values})

    def clock_timing(self) -> tuple[int, int, int, int]:
        """Return the clock's duration, capture offset, elasticity and tolerance (ns).

        What is late by less than a twentieth of a time-step is not called an overrun.
        """
        duration_ns = to_ns(self.time_step_duration)
        elasticity = self.time_step_duration * self.time_step_timeout_factor
        elasticity_ns = NEVER_NS if math.isinf(elasticity) else min(to_ns(elasticity), NEVER_NS)
        return duration_ns, to_ns(self.start_obs_capture), elasticity_ns, duration_ns // 20

    def make_clock(self) -> ElasticClock:
        """Return a clock with this timing."""
        return ElasticClock(*self.clock_timing())
