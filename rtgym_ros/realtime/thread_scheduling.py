"""Scheduling of the threads that wait for the clock: SCHED_FIFO and the CPUs that they may run on.

Several environments may want something of one thread: the highest priority and the newest CPUs hold, and how the thread
was scheduled before the first of them comes back with the last.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from rtgym_ros.realtime.refusal import no_priority, off_linux, refusal
from rtgym_ros.realtime.users import Users

_THREADS = Path("/proc/self/task")


class ThreadScheduling:
    """Changes the threads that it is applied to, and puts them back.

    Args:
        priority: of SCHED_FIFO, 1 to 99, None to leave the policy.
        cpus: numbers of CPUs, None to leave them.
    """

    def __init__(self, priority: int | None, cpus: Sequence[int] | None) -> None:
        self.priority = priority
        self.cpus = None if cpus is None else frozenset(cpus)
        self._is_over = False

    def apply(self) -> list[str]:
        """Schedule the calling thread like this; return what was refused, a line each."""
        with _lock:
            if self._is_over:
                return []
            asked = {_priority_entry(self.priority): self.priority, _cpus_entry(self.cpus): self.cpus}
            refused = [off_linux(entry) for entry, value in asked.items() if value is not None]
            if not any(refused):
                record = _record_of_this_thread()
                record.wishes.append(self)
                refused = [self._raise_priority(record), self._bind(record)]
            return [line for line in refused if line]

    def undo(self) -> None:
        """Put back every thread that is still there, as far as nobody else has changed it meanwhile."""
        with _lock:
            self._is_over = True
            for thread_id, record in list(_records.items()):
                if self in record.wishes:
                    record.wishes.remove(self)
                    record.put_back(thread_id)

    def _raise_priority(self, record: _Record) -> str | None:
        priority = record.wanted_priority()
        if self.priority is None or priority is None:
            return None
        try:
            record.set_policy(0, _fifo(priority))
        except PermissionError:
            reason = no_priority(self.priority, _rtprio_limit())
        except OSError as error:
            reason = str(error)
        else:
            return None
        entry = _priority_entry(self.priority)
        self.priority = None
        return refusal(entry, reason)

    def _bind(self, record: _Record) -> str | None:
        if self.cpus is None:
            return None
        before = os.sched_getaffinity(0)
        with suppress(OSError, ValueError, OverflowError):
            record.set_cpus(0, self.cpus)
            if record.cpus_set == self.cpus:
                return None
            record.set_cpus(0, before)  # the kernel leaves out what is not there
        entry = _cpus_entry(self.cpus)
        self.cpus = None
        return refusal(entry, f"this process may run on the CPUs {sorted(before)} (taskset, cpuset cgroup)")


class _Policy(NamedTuple):
    """As the kernel has it; the policy includes the flag of forks."""

    policy: int
    priority: int


class _Record:
    """One thread: how it was scheduled, how it is, and who wants what of it. To be made in that thread."""

    def __init__(self) -> None:
        self.wishes: list[ThreadScheduling] = []
        self.policy_before = self.policy_set = _Policy(os.sched_getscheduler(0), os.sched_getparam(0).sched_priority)
        self.cpus_before: frozenset[int] = frozenset(os.sched_getaffinity(0))
        self.cpus_set = self.cpus_before

    def wanted_priority(self) -> int | None:
        """Return the highest priority that anybody wants, None if nobody does."""
        return max((wish.priority for wish in self.wishes if wish.priority is not None), default=None)

    def set_policy(self, thread_id: int, wanted: _Policy) -> None:
        """Schedule the thread; 0 is the calling one."""
        os.sched_setscheduler(thread_id, wanted.policy, os.sched_param(wanted.priority))
        self.policy_set = wanted

    def set_cpus(self, thread_id: int, cpus: frozenset[int] | set[int]) -> None:
        """Bind the thread; 0 is the calling one."""
        os.sched_setaffinity(thread_id, cpus)
        self.cpus_set = frozenset(os.sched_getaffinity(thread_id))

    def put_back(self, thread_id: int) -> None:
        """Do what the remaining wishes say, or put back what was before the first."""
        if not self.wishes:
            _records.pop(thread_id, None)
        if not (_THREADS / str(thread_id)).exists():
            return  # another process could have its number by now
        priority = self.wanted_priority()
        cpus = next((wish.cpus for wish in reversed(self.wishes) if wish.cpus is not None), self.cpus_before)
        with suppress(OSError):
            if frozenset(os.sched_getaffinity(thread_id)) == self.cpus_set:
                self.set_cpus(thread_id, cpus)
        with suppress(OSError):
            now = _Policy(os.sched_getscheduler(thread_id), os.sched_getparam(thread_id).sched_priority)
            if now == self.policy_set:
                self._put_policy_back(thread_id, self.policy_before if priority is None else _fifo(priority))

    def _put_policy_back(self, thread_id: int, wanted: _Policy) -> None:
        try:
            self.set_policy(thread_id, wanted)
        except PermissionError:  # who has lost the right to clear the flag of forks keeps it, which does no harm
            self.set_policy(thread_id, wanted._replace(policy=wanted.policy | os.SCHED_RESET_ON_FORK))


_lock = Users()
_records: dict[int, _Record] = {}
_local = threading.local()


def _record_of_this_thread() -> _Record:
    thread_id = threading.get_native_id()
    if thread_id not in _records:
        _records[thread_id] = _Record()
        _local.thread_id = thread_id  # by it the thread knows its record in a forked process, where it has another
    return _records[thread_id]


def _forked() -> None:
    """Put back the one thread that there is in a forked process."""
    record = _records.get(getattr(_local, "thread_id", 0))
    _records.clear()
    if record is not None:
        record.wishes.clear()
        record.policy_set = _Policy(os.sched_getscheduler(0), os.sched_getparam(0).sched_priority)  # reset by the fork
        record.put_back(threading.get_native_id())


os.register_at_fork(after_in_child=_forked)


def _fifo(priority: int) -> _Policy:
    # What this thread starts, a thread or a program, is to be scheduled as usual.
    return _Policy(os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, priority)


def _rtprio_limit() -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_RTPRIO)[0]


def _priority_entry(priority: int | None) -> str:
    return f"config['realtime_priority'] = {priority}"


def _cpus_entry(cpus: frozenset[int] | None) -> str:
    return f"config['cpu_affinity'] = {sorted(cpus or ())}"
