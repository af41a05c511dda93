"""What follows from the facts and the measurements: the shortest safe time-step, and what to change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rtgym_ros.core.time_source import NS_PER_S
from rtgym_ros.realtime.latency_probe import PRIORITY, Measurement
from rtgym_ros.realtime.machine_facts import MachineFacts

LADDER_S = (0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)
"""The time-steps that are asked about (s)."""

PART = 10
"""A tenth of a time-step may pass until its work is done: nine tenths are the policy's."""

FORMULA = (
    "the shortest of 20, 10, 5, 2, 1, 0.5, 0.2 and 0.1 ms of which a tenth is at least the p99.9 of 'done': "
    "of the time from the deadline until the thread is awake and has done the work of a time-step"
)

_DEEP_S = 20e-6
"""An idle state that takes longer to leave (s) is too deep: it is the least that the clock spins for."""

_SLOW_CLOCKS = ("hpet", "acpi_pm", "jiffies")
"""Clock sources that take a microsecond or more to read, or that tell milliseconds only."""

_LIMITS = "/etc/security/limits.d/realtime.conf"


class Advice(NamedTuple):
    """Something to change.

    Attributes:
        reason: what is the matter.
        change: the command, or what to do where there is no single one.
    """

    reason: str
    change: str


def shortest_time_step_s(measurement: Measurement) -> float | None:
    """Return the shortest safe time-step (s), None where the ladder has none or nothing was measured."""
    return shortest_for(measurement.done.percentile_ns(99.9))


def shortest_for(done_ns: float) -> float | None:
    """Return the shortest time-step of the ladder (s) that ``done_ns`` is at most a tenth of; None for nan."""
    return min((step_s for step_s in LADDER_S if done_ns * PART <= step_s * NS_PER_S), default=None)


def advise(facts: MachineFacts, measurements: Sequence[Measurement]) -> list[Advice]:
    """Return what applies to this machine, in the order of the stalls that it ends, the longest first."""
    if facts.system != "Linux":
        return [Advice(f"real-time measures are offered on Linux only, and this is {facts.system}", "run it on Linux")]
    host = "on the host: " if facts.container else ""
    return [
        *_stalls_of_a_time_slice(facts, host),
        *_permitted(measurements),
        *_limits(facts),
        *_slow_wake_ups(facts, host),
        *_the_kernel(facts, host),
    ]


def _stalls_of_a_time_slice(facts: MachineFacts, host: str) -> Iterator[Advice]:
    """Tens of milliseconds: nothing else helps as long as these are there."""
    if facts.cpu_quota is not None and facts.cpu_quota != float("inf"):
        yield Advice(
            f"a control group may use {facts.cpu_quota:g} CPUs, and then stands still for up to "
            f"{1e3 * (facts.cpu_quota_period_s or 0):g} ms",
            "docker update --cpu-quota -1 CONTAINER, or systemctl set-property UNIT CPUQuota=",
        )
    if facts.sched_rt_runtime_us == 0:
        yield Advice(
            "real-time threads are given no time at all", f"{host}sudo sysctl -w kernel.sched_rt_runtime_us=950000"
        )
    if facts.is_virtual:
        yield Advice(
            "a hypervisor takes the CPUs away when it likes",
            "run the robot's program on the machine itself, or give it CPUs of its own: virsh vcpupin DOMAIN VCPU CPU",
        )


def _permitted(measurements: Sequence[Measurement]) -> Iterator[Advice]:
    """What is only a matter of the configuration, where it has brought something here."""
    steps = {id(each): shortest_time_step_s(each) or float("inf") for each in measurements}
    plain = [steps[id(each)] for each in measurements if each.setting.spins and not each.setting.config]
    measures = [each for each in measurements if each.setting.config]
    best = min(measures, key=lambda each: steps[id(each)], default=None)
    if best is not None and steps[id(best)] < min(plain, default=0.0):
        entries = ", ".join(f"{name}={_literal(value)}" for name, value in best.setting.config.items())
        yield Advice("measures that are permitted here make shorter time-steps safe", f"config.update({entries})")


def _limits(facts: MachineFacts) -> Iterator[Advice]:
    """Milliseconds: other threads, and pages that are read from a disk."""
    if facts.may_set_priority is False and (facts.rtprio_limit or 0) < PRIORITY:
        yield Advice(
            f"realtime_priority is refused: RLIMIT_RTPRIO is {facts.rtprio_limit or 0}, and CAP_SYS_NICE is not there",
            _permit(facts, f"rtprio={PRIORITY}", "SYS_NICE", f"rtprio {PRIORITY}"),
        )
    limit = facts.memlock_limit_bytes or 0.0
    if facts.may_lock_memory is False and limit != float("inf"):
        yield Advice(
            f"lock_memory is refused: RLIMIT_MEMLOCK is {limit / 1024:g} kB, and CAP_IPC_LOCK is not there",
            _permit(facts, "memlock=-1", "IPC_LOCK", "memlock unlimited"),
        )


def _permit(facts: MachineFacts, ulimit: str, capability: str, entry: str) -> str:
    if facts.container:
        return f"docker run --ulimit {ulimit} --cap-add {capability} ..."
    return f'echo "$USER - {entry}" | sudo tee -a {_LIMITS}, and log in again'


def _slow_wake_ups(facts: MachineFacts, host: str) -> Iterator[Advice]:
    """Tens to hundreds of microseconds."""
    if facts.idle_latency_s is not None and facts.idle_latency_s > _DEEP_S:
        yield Advice(
            f"the idle state {facts.idle_state} takes {facts.idle_latency_s * 1e6:g} us to leave",
            f"{host}sudo cpupower idle-set -D {_DEEP_S * 1e6:.0f}",
        )
    others = [governor for governor in facts.governors or () if governor != "performance"]
    if others:
        yield Advice(
            f"the governor {' and '.join(others)} lowers the frequency of a CPU that waits",
            f"{host}sudo cpupower frequency-set -g performance",
        )
    if facts.clock_source in _SLOW_CLOCKS:
        yield Advice(
            f"the clock source {facts.clock_source} is slow to read",
            f"{host}kernel parameters clocksource=tsc tsc=reliable",
        )


def _the_kernel(facts: MachineFacts, host: str) -> Iterator[Advice]:
    """What is left: the rarest and, of a machine that is set up as above, the longest stalls."""
    if facts.isolated_cpus == () and len(facts.usable_cpus or ()) > 1:
        cpu = (facts.usable_cpus or ())[-1]
        yield Advice(
            "no CPU is kept free of other threads",
            f"{host}kernel parameters isolcpus={cpu} nohz_full={cpu} rcu_nocbs={cpu}, then cpu_affinity=[{cpu}]",
        )
    if facts.preempt_rt is False:
        yield Advice(
            "the kernel is not PREEMPT_RT",
            f"{host}sudo apt install linux-image-rt-amd64 (Debian), or sudo pro enable realtime-kernel (Ubuntu)",
        )


def _literal(value: object) -> str:
    return str(list(value) if isinstance(value, tuple) else value)
