"""What ``step()`` tells the learner about time."""

from __future__ import annotations

from typing import Any

from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.core.time_source import NS_PER_S

TIME_STEP = "time_step"
"""The key in ``info``."""


def time_step_info(time_step: TimeStep, captured_ns: int) -> dict[str, Any]:
    """Return ``info["time_step"]``: the time-step in which the observation that comes with it was captured.

    Returns:
        ``index``: time-steps that began before it in this environment (int).
        ``nominal_start``: where it began on the grid (s).
        ``start``: when its control was sent (s).
        ``lateness``: how long after the end of the previous one that was (s).
        ``overrun``: whether that was late, within the elasticity.
        ``timed_out``: whether it was later, so that the grid was restarted.
        ``capture``: when its observation was captured (s).

        Times are those of the environment's time source: seconds since boot, or ROS time where there is one.
    """
    return {
        "index": time_step.index,
        "nominal_start": time_step.start_ns / NS_PER_S,
        "start": time_step.began_ns / NS_PER_S,
        "lateness": time_step.lateness_ns / NS_PER_S,
        "overrun": time_step.overrun,
        "timed_out": time_step.timed_out,
        "capture": captured_ns / NS_PER_S,
    }
