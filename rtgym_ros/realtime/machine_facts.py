"""What the machine, the system and the interpreter are set to, as far as they tell; nothing is changed."""

from __future__ import annotations

import gc
import platform
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rtgym_ros.realtime.capabilities import CAP_IPC_LOCK, CAP_SYS_NICE, has_capability

_CPUS = "sys/devices/system/cpu"


@dataclass(frozen=True)
class MachineFacts:
    """What is known; None stands for what cannot be known here.

    Attributes:
        system: "Linux", or another name of a system, of which little more is known.
        kernel: its release.
        preempt_rt: whether it is a real-time kernel.
        is_virtual: whether a hypervisor runs beneath it.
        container: what says that this is a container, empty where nothing does.
        usable_cpus: numbers of the CPUs that this process may run on.
        isolated_cpus: numbers of those that the kernel keeps ordinary threads away from (isolcpus).
        clock_source: what the kernel reads the time from.
        governors: what chooses the frequency of the usable CPUs, each one once.
        idle_state: the deepest one that the kernel may choose.
        idle_latency_s: how long waking up from it takes (s).
        timer_slack_s: how late the main thread may be woken up to save power (s).
        rtprio_limit: the highest priority of SCHED_FIFO that may be asked for without a capability.
        memlock_limit_bytes: how much memory may be locked without a capability (bytes); inf without a limit.
        may_set_priority: whether the process has CAP_SYS_NICE.
        may_lock_memory: whether the process has CAP_IPC_LOCK.
        cpu_quota: CPUs that the control group may use on average, inf without a limit.
        cpu_quota_period_s: after what time (s) one that has used them up may run again.
        sched_rt_runtime_us: of every sched_rt_period_us, what real-time threads may run (us); -1 is all.
        switch_interval_s: how long a Python thread that computes may keep another one waiting (s).
        gc_thresholds: of the garbage collector, zero first where it is off.
    """

    system: str
    kernel: str | None = None
    preempt_rt: bool | None = None
    is_virtual: bool | None = None
    container: str | None = None
    usable_cpus: tuple[int, ...] | None = None
    isolated_cpus: tuple[int, ...] | None = None
    clock_source: str | None = None
    governors: tuple[str, ...] | None = None
    idle_state: str | None = None
    idle_latency_s: float | None = None
    timer_slack_s: float | None = None
    rtprio_limit: int | None = None
    memlock_limit_bytes: float | None = None
    may_set_priority: bool | None = None
    may_lock_memory: bool | None = None
    cpu_quota: float | None = None
    cpu_quota_period_s: float | None = None
    sched_rt_runtime_us: int | None = None
    switch_interval_s: float | None = None
    gc_thresholds: tuple[int, ...] | None = None


def read_facts(root: Path = Path("/")) -> MachineFacts:
    """Return what is known of this machine.

    Args:
        root: where /proc and /sys are found: another folder in tests.
    """
    interpreter = {"switch_interval_s": sys.getswitchinterval(), "gc_thresholds": gc.get_threshold()}
    kernel = _read(root / "proc/sys/kernel/osrelease")
    if kernel is None:  # not Linux, or one that hides /proc
        return MachineFacts(platform.system(), platform.release() or None, **interpreter)  # type: ignore[arg-type]
    idle_state, idle_latency_s = _deepest_idle_state(root)
    knows_capabilities = _field(_read(root / "proc/self/status"), "CapEff") is not None
    quota, period_s = _cpu_quota(root)
    slack_ns = _read_int(root / "proc/self/timerslack_ns")
    rtprio, memlock = _limit(root, "Max realtime priority"), _limit(root, "Max locked memory")
    return MachineFacts(
        system="Linux",
        kernel=kernel,
        preempt_rt=_read(root / "sys/kernel/realtime") == "1" or "PREEMPT_RT" in (_read(root / "proc/version") or ""),
        is_virtual=_is_virtual(root),
        container=_container(root),
        usable_cpus=_usable_cpus(root),
        isolated_cpus=parse_cpu_list(_read(root / _CPUS / "isolated")),
        clock_source=_read(root / "sys/devices/system/clocksource/clocksource0/current_clocksource"),
        governors=_governors(root),
        idle_state=idle_state,
        idle_latency_s=idle_latency_s,
        timer_slack_s=None if slack_ns is None else slack_ns / 1e9,
        rtprio_limit=None if rtprio is None else int(min(rtprio, 99)),
        memlock_limit_bytes=memlock,
        may_set_priority=has_capability(CAP_SYS_NICE, root / "proc/self") if knows_capabilities else None,
        may_lock_memory=has_capability(CAP_IPC_LOCK, root / "proc/self") if knows_capabilities else None,
        cpu_quota=quota,
        cpu_quota_period_s=period_s,
        sched_rt_runtime_us=_read_int(root / "proc/sys/kernel/sched_rt_runtime_us"),
        **interpreter,  # type: ignore[arg-type]
    )


def parse_cpu_list(text: str | None) -> tuple[int, ...] | None:
    """Return the numbers of a list of the kernel's, as "0-2,5"; None where there is none."""
    if text is None:
        return None
    cpus: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            return None  # "(null)" of old kernels
        cpus.extend(range(int(first), int(last or first) + 1))
    return tuple(cpus)


def _usable_cpus(root: Path) -> tuple[int, ...] | None:
    return parse_cpu_list(_field(_read(root / "proc/self/status"), "Cpus_allowed_list"))


def _is_virtual(root: Path) -> bool:
    flags = _field(_read(root / "proc/cpuinfo"), "flags") or ""
    hints = ("sys/hypervisor/type", "proc/device-tree/hypervisor/compatible")  # Xen; ARM has no such flag
    return "hypervisor" in flags.split() or any((root / hint).exists() for hint in hints)


def _container(root: Path) -> str:
    marks = {"Docker": ".dockerenv", "Podman": "run/.containerenv"}
    return next((name for name, mark in marks.items() if (root / mark).exists()), "")


def _governors(root: Path) -> tuple[str, ...] | None:
    """Return those of the usable CPUs; None where the frequency is not the kernel's to choose."""
    cpus = _usable_cpus(root) or ()
    found = [_read(root / _CPUS / f"cpu{cpu}/cpufreq/scaling_governor") for cpu in cpus]
    return tuple(sorted({governor for governor in found if governor})) or None


def _deepest_idle_state(root: Path) -> tuple[str | None, float | None]:
    """Return its name and how long waking up from it takes (s)."""
    cpu = next(iter(_usable_cpus(root) or ()), 0)
    states = []
    for folder in (root / _CPUS / f"cpu{cpu}/cpuidle").glob("state*"):
        latency_us = _read_int(folder / "latency")
        if latency_us is not None and _read(folder / "disable") != "1":
            states.append((latency_us, _read(folder / "name")))
    if not states:
        return None, None
    latency_us, name = max(states, key=lambda state: state[0])
    return name, latency_us / 1e6


def _limit(root: Path, name: str) -> float | None:
    """Return a soft limit of this process."""
    match = re.search(rf"^{name}\s+(\S+)", _read(root / "proc/self/limits") or "", re.MULTILINE)
    if match is None:
        return None
    return float("inf") if match[1] == "unlimited" else int(match[1])


def _cpu_quota(root: Path) -> tuple[float | None, float | None]:
    """Return the least of the control groups around this process, in CPUs, and its period (s)."""
    found = [(quota / period, period / 1e6) for quota, period in _quotas_and_periods(root)]
    return min(found, default=(None, None))


def _quotas_and_periods(root: Path) -> Iterator[tuple[float, float]]:
    """Yield both of every group (us), from the process's own up to the one that a container sees as the root."""
    mount = root / "sys/fs/cgroup"
    for line in (_read(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = mount / "cpu" if controllers else mount
        group = base / path.lstrip("/")
        for folder in (group, *group.parents):
            yield from _quota_and_period(folder)
            if folder == base:
                break


def _quota_and_period(folder: Path) -> Iterator[tuple[float, float]]:
    text = _read(folder / "cpu.max")  # version 2: "max 100000"
    if text is None:
        text = (
            f"{_read(folder / 'cpu.cfs_quota_us')} {_read(folder / 'cpu.cfs_period_us')}"  # version 1: -1 is no limit
        )
    with suppress(ValueError):
        quota, period = text.split()
        yield float("inf") if quota in ("max", "-1") else float(quota), float(period)


def _field(text: str | None, name: str) -> str | None:
    """Return what stands after ``name:`` the first time."""
    match = re.search(rf"^{name}\s*:[ \t]*(.*)$", text or "", re.MULTILINE)
    return match[1].strip() if match else None


def _read(file: Path) -> str | None:
    with suppress(OSError, UnicodeDecodeError):
        return file.read_text().strip()
    return None


def _read_int(file: Path) -> int | None:
    text = _read(file) or ""
    return int(text) if re.fullmatch(r"-?\d+", text) else None
