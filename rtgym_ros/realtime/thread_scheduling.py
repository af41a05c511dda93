"""Scheduling of the clock thread: SCHED_FIFO and the CPUs that it may run on.

A thread that is scheduled like this keeps it until it ends, with its environment; nothing is put back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress

from rtgym_ros.realtime.refusal import no_priority, off_linux, refusal


def schedule_this_thread(priority: int | None, cpus: Iterable[int] | None) -> list[str]:
    """Schedule the calling thread.

    Args:
        priority: of SCHED_FIFO, 1 to 99, None to leave the policy. What the thread starts is scheduled as usual.
        cpus: numbers of CPUs, None to leave them.

    Returns:
        What the system refused, a line each; the thread is as it was in that respect.
    """
    asked: dict[str, Callable[[str], str | None]] = {}
    if priority is not None:
        asked[f"config['realtime_priority'] = {priority}"] = lambda entry: _raise_priority(entry, priority)
    if cpus is not None:
        wanted = set(cpus)
        asked[f"config['cpu_affinity'] = {sorted(wanted)}"] = lambda entry: _bind(entry, wanted)
    answers = [off_linux(entry) or schedule(entry) for entry, schedule in asked.items()]
    return [line for line in answers if line]


def _raise_priority(entry: str, priority: int) -> str | None:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except PermissionError:
        return refusal(entry, no_priority(priority, _rtprio_limit()))
    except OSError as error:
        return refusal(entry, str(error))
    return None


def _bind(entry: str, cpus: set[int]) -> str | None:
    before = os.sched_getaffinity(0)
    with suppress(OSError, ValueError, OverflowError):
        os.sched_setaffinity(0, cpus)
        if os.sched_getaffinity(0) == cpus:
            return None
        os.sched_setaffinity(0, before)  # the kernel leaves out what is not there
    return refusal(entry, f"this process may run on the CPUs {sorted(before)} (taskset, cpuset cgroup)")


def _rtprio_limit() -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_RTPRIO)[0]
