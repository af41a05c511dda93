"""The machine that the figures are from: without it they mean nothing."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGES = ("rtgym", "gymnasium", "numpy", "torch", "ros-rclpy", "ros-rmw-fastrtps-cpp")
_CPU = Path("/sys/devices/system/cpu")
_CLOCK_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")


def describe_machine() -> dict[str, Any]:
    """Return what it is; None stands for what it does not tell."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "governor": _read(_CPU / "cpu0/cpufreq/scaling_governor"),
        "deepest_idle_state": _deepest_idle_state(),
        "clock_source": _read(_CLOCK_SOURCE),
        "kernel": f"{platform.release()} {platform.version()}",
        "realtime_kernel": _read(Path("/sys/kernel/realtime")) == "1",
        "virtual": "hypervisor" in (_read(Path("/proc/cpuinfo")) or ""),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "switch_interval_s": sys.getswitchinterval(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "load_average": load_average(),
    }


def load_average() -> list[float]:
    """Return how many threads wanted to run, on average over 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def one_line(machine: dict[str, Any]) -> str:
    """Return it for the top of a report."""
    governor = machine["governor"] or "unknown"
    where = ", virtual" if machine["virtual"] else ""
    return (
        f"{machine['usable_cores']} cores of {machine['cpu']}{where}, governor {governor}, "
        f"Linux {machine['kernel'].split()[0]}, {machine['python']}, load {machine['load_average'][0]:g}"
    )


def _cpu_model() -> str:
    for line in (_read(Path("/proc/cpuinfo")) or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _deepest_idle_state() -> str | None:
    states = sorted(_CPU.glob("cpu0/cpuidle/state*/name"))
    return _read(states[-1]) if states else None


def _read(file: Path) -> str | None:
    with suppress(OSError):
        return file.read_text().strip()
    return None


def _version(package: str) -> str | None:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(package)
    return None
