"""What ``info`` says about time: the same flat keys in ``reset()`` and in ``step()``, all of them numbers.

They are NumPy's, which are Python's as well (``np.float64`` derives from ``float``): TorchRL's reader of infos asks
each value for its dtype.
"""

from __future__ import annotations

import numpy as np

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

_float = np.float64
_NAN = _float("nan")

ROS_KEYS = ("ros_time_step_start", "ros_capture_time")
"""The same of an interface on ROS 2, in ROS time."""


def time_step_info(time_step: TimeStep | None, captured_ns: int, to_ros_ns: int | None = None) -> dict[str, np.float64]:
    """Return what ``info`` says about the time-step in which an observation was captured.

    Args:
        time_step: which one, None in ``reset()``: every entry but ``capture_time`` is NaN then.
        captured_ns: when the observation was captured (ns of the environment's time source).
        to_ros_ns: what to add to these times for ROS time (ns); None for an interface that is not on ROS 2.

    Returns:
        ``time_step_index``: time-steps that began before it in this environment.
        ``time_step_nominal_start``: where it began on the grid (s).
        ``time_step_start``: when its control was sent (s).
        ``time_step_lateness``: how long after the end of the previous one that was (s).
        ``time_step_overrun``: 1 if that was late, within the elasticity, otherwise 0.
        ``time_step_timed_out``: 1 if it was later, so that the grid was restarted, otherwise 0.
        ``capture_time``: when the observation was captured (s).

        These times are of the environment's time source: seconds since boot, or ROS time with ``use_sim_time``.
        With ``to_ros_ns`` also ``ros_time_step_start`` and ``ros_capture_time``: the same two in ROS time (s), which
        joins a flight with a bag.
    """
    captured = _float(captured_ns / NS_PER_S)
    if time_step is None:
        unknown = {**dict.fromkeys(KEYS, _NAN), "capture_time": captured}
        return unknown if to_ros_ns is None else {**unknown, **_in_ros_time(None, captured_ns, to_ros_ns)}
    info = {
        "time_step_index": _float(time_step.index),
        "time_step_nominal_start": _float(time_step.start_ns / NS_PER_S),
        "time_step_start": _float(time_step.began_ns / NS_PER_S),
        "time_step_lateness": _float(time_step.lateness_ns / NS_PER_S),
        "time_step_overrun": _float(time_step.overrun),
        "time_step_timed_out": _float(time_step.timed_out),
        "capture_time": captured,
    }
    return info if to_ros_ns is None else {**info, **_in_ros_time(time_step.began_ns, captured_ns, to_ros_ns)}


def _in_ros_time(began_ns: int | None, captured_ns: int, to_ros_ns: int) -> dict[str, np.float64]:
    start = _NAN if began_ns is None else _float((began_ns + to_ros_ns) / NS_PER_S)
    return {"ros_time_step_start": start, "ros_capture_time": _float((captured_ns + to_ros_ns) / NS_PER_S)}
