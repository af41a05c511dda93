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
        switch_interval: after how long (s) a thread that wants the interpreter gets it, None for Python's 5 ms.
    """

    package: str
    env_id: str
    config: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    switch_interval: float | None = None


ENVIRONMENTS = {
    "rtgym_ros-v1": Environment("rtgym_ros", "real-time-gym-v1"),
    "rtgym_ros-ts": Environment("rtgym_ros", "real-time-gym-ts-v1"),
    "rtgym_ros-v1-gil": Environment("rtgym_ros", "real-time-gym-v1", switch_interval=1e-4),
    "rtgym-v1": Environment("rtgym", "real-time-gym-v1"),
    "rtgym-ts": Environment("rtgym", "real-time-gym-ts-v1"),
}

OURS = ("rtgym_ros-v1", "rtgym_ros-ts")
RTGYM = ("rtgym-v1", "rtgym-ts")
GIL = "rtgym_ros-v1-gil"
"""Ours, with a short switch interval: what it is offered for is a busy thread of pure Python beside it."""

C_SLEEP, C_SPIN = "c-sleep", "c-spin"
"""What the kernel gives to a C program, and to one that spins for the last microseconds."""

TIMER_NODE = "timer-node"
"""A hand-written rclpy node with a timer and a subscription."""

COLOURS = {
    "rtgym_ros-v1": "tab:blue",
    "rtgym_ros-ts": "tab:cyan",
    "rtgym_ros-v1-gil": "tab:purple",
    "rtgym-v1": "tab:red",
    "rtgym-ts": "tab:orange",
    C_SLEEP: "tab:gray",
    C_SPIN: "black",
    TIMER_NODE: "tab:brown",
}
