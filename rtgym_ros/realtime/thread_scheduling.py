"""Scheduling of the threads that wait for the clock: SCHED_FIFO and the CPUs that they may run on."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from rtgym_ros.realtime.refusal import no_priority, off_linux, refusal

_THREADS = Path("/proc/self/task")


class _Before(NamedTuple):
    """How a thread was scheduled."""

    policy: int
    priority: int
    cpus: set[int]


class ThreadScheduling:
    """Changes the threads that it is applied to, and puts them back.

    Args:
        priority: of SCHED_FIFO, 1 to 99, None to leave the policy.
        cpus: numbers of CPUs, None to leave them.
    """

    def __init__(self, priority: int | None, cpus: Sequence[int] | None) -> None:
        self._priority = priority
        self._cpus = cpus
        self._before: dict[int, _Before] = {}

    def apply(self) -> list[str]:
        """Schedule the calling thread like this; return what was refused, a line each."""
        refused = []
        if self._priority is not None:
            refused.append(off_linux(self._priority_entry) or self._apply(self._set_priority))
        if self._cpus is not None:
            refused.append(off_linux(self._cpus_entry) or self._apply(self._set_cpus))
        return [line for line in refused if line]

    def undo(self) -> None:
        """Put back every thread that is still there."""
        while self._before:
            thread_id, before = self._before.popitem()
            if (_THREADS / str(thread_id)).exists():  # another process could have its number by now
                with suppress(OSError):
                    os.sched_setaffinity(thread_id, before.cpus)
                _set_policy(thread_id, before)

    @property
    def _priority_entry(self) -> str:
        return f"config['realtime_priority'] = {self._priority}"

    @property
    def _cpus_entry(self) -> str:
        return f"config['cpu_affinity'] = {list(self._cpus or ())}"

    def _apply(self, change: Callable[[], str | None]) -> str | None:
        thread_id = threading.get_native_id()
        before = _Before(os.sched_getscheduler(0), os.sched_getparam(0).sched_priority, os.sched_getaffinity(0))
        self._before.setdefault(thread_id, before)
        return change()

    def _set_priority(self) -> str | None:
        priority = self._priority or 0
        try:
            # What this thread starts, a thread or a program, is to be scheduled as usual.
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
        except PermissionError:
            import resource

            return refusal(self._priority_entry, no_priority(priority, resource.getrlimit(resource.RLIMIT_RTPRIO)[0]))
        except OSError as error:
            return refusal(self._priority_entry, str(error))
        return None

    def _set_cpus(self) -> str | None:
        try:
            os.sched_setaffinity(0, self._cpus or ())
        except (OSError, ValueError, OverflowError):
            usable = sorted(os.sched_getaffinity(0))
            return refusal(self._cpus_entry, f"this process may run on the CPUs {usable} (taskset, cpuset cgroup)")
        return None


def _set_policy(thread_id: int, before: _Before) -> None:
    """Put the policy back; who lost the right to clear the flag of forks keeps it, which does no harm."""
    for flag in (0, os.SCHED_RESET_ON_FORK):
        try:
            os.sched_setscheduler(thread_id, before.policy | flag, os.sched_param(before.priority))
        except OSError:
            continue
        return
