"""What ``info`` says about time: the same flat keys in ``reset()`` and in ``step()``, all of them floats."""

from __future__ import annotations

from math import nan

from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.core.time_source import NS_PER_S

KEYS = (
    "time_step_index",
    "time_step_nominal_start",
    "time_step_start",
    "time_step_lateness",
    "time_step_overrun",
    "time_step_timed_out",
    "capture_time",
)
"""In the order of :func:`time_step_info`'s documentation."""


def time_step_info(time_step: TimeStep | None, captured_ns: int) -> dict[str, float]:
    """Return what ``info`` says about the time-step in which an observation was captured.

    Args:
        time_step: which one, None in ``reset()``: every entry but ``capture_time`` is NaN then.
        captured_ns: when the observation was captured (ns of the environment's time source).

    Returns:
        ``time_step_index``: time-steps that began before it in this environment.
        ``time_step_nominal_start``: where it began on the grid (s).
        ``time_step_start``: when its control was sent (s).
        ``time_step_lateness``: how long after the end of the previous one that was (s).
        ``time_step_overrun``: 1 if that was late, within the elasticity, otherwise 0.
        ``time_step_timed_out``: 1 if it was later, so that the grid was restarted, otherwise 0.
        ``capture_time``: when the observation was captured (s).

        Times are those of the environment's time source: seconds since boot, or ROS time with ``use_sim_time``.
    """
    captured = captured_ns / NS_PER_S
    if time_step is None:
        return {**dict.fromkeys(KEYS, nan), "capture_time": captured}
    return {
        "time_step_index": float(time_step.index),
        "time_step_nominal_start": time_step.start_ns / NS_PER_S,
        "time_step_start": time_step.began_ns / NS_PER_S,
        "time_step_lateness": time_step.lateness_ns / NS_PER_S,
        "time_step_overrun": float(time_step.overrun),
        "time_step_timed_out": float(time_step.timed_out),
        "capture_time": captured,
    }
