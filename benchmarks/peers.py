"""Who is measured: environments of ours and of Real-Time Gym, and what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Environment:
    """An environment that is measured.

    Attributes:
        package: that registers it; each peer runs in a process of its own, so two may use the same id.
        env_id: what ``gymnasium.make`` calls it.
        config: entries of the configuration, beside those of the measurement.
    """

    package: str
    env_id: str
    config: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


ENVIRONMENTS = {
    "rtgym_ros-v1": Environment("rtgym_ros", "rtgym_ros/RealTime-v1"),
    "rtgym_ros-ts": Environment("rtgym_ros", "rtgym_ros/RealTime-ts-v1"),
    "rtgym_ros-v1-sleep": Environment("rtgym_ros", "rtgym_ros/RealTime-v1", {"spin": False}),
    "rtgym_ros-v1-fifo": Environment("rtgym_ros", "rtgym_ros/RealTime-v1", {"realtime_priority": 40}),
    "rtgym_ros-v1-5ms": Environment("rtgym_ros", "rtgym_ros/RealTime-v1", {"switch_interval": None}),
    "rtgym-v1": Environment("rtgym", "real-time-gym-v1"),
    "rtgym-ts": Environment("rtgym", "real-time-gym-ts-v1"),
}

OURS = ("rtgym_ros-v1", "rtgym_ros-ts")
RTGYM = ("rtgym-v1", "rtgym-ts")
SLEEP = "rtgym_ros-v1-sleep"
"""Ours, without spinning, as for a robot on a battery."""

FIFO = "rtgym_ros-v1-fifo"
"""Ours, with a real-time priority: other programs do not come in between, where the system permits it."""

SLOW_SWITCH = "rtgym_ros-v1-5ms"
"""Ours, with Python's switch interval: what the short one brings beside a busy thread of pure Python."""

C_SLEEP, C_SPIN = "c-sleep", "c-spin"
"""What the kernel gives to a C program, and to one that spins for the last microseconds."""

TIMER_NODE = "timer-node"
"""A hand-written rclpy node with a timer and a subscription."""

COLOURS = {
    "rtgym_ros-v1": "tab:blue",
    "rtgym_ros-ts": "tab:cyan",
    "rtgym_ros-v1-sleep": "tab:green",
    "rtgym_ros-v1-fifo": "tab:olive",
    "rtgym_ros-v1-5ms": "tab:purple",
    "rtgym-v1": "tab:red",
    "rtgym-ts": "tab:orange",
    C_SLEEP: "tab:gray",
    C_SPIN: "black",
    TIMER_NODE: "tab:brown",
}
