"""How late this machine wakes up a thread, with and without each measure."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from errno import EINTR
from threading import Event
from time import monotonic_ns
from typing import Any, TypeVar

import numpy as np

from rtgym_ros.core.action_buffer import ActionBuffer
from rtgym_ros.core.elastic_clock import NEVER_NS, ElasticClock
from rtgym_ros.core.histogram import DurationHistogram
from rtgym_ros.core.time_source import NS_PER_S, MonotonicTimeSource
from rtgym_ros.core.timer_slack import set_timer_slack
from rtgym_ros.realtime.memory_lock import lock_memory, unlock_memory
from rtgym_ros.realtime.refusal import reason_of
from rtgym_ros.realtime.thread_scheduling import schedule_this_thread

Result = TypeVar("Result")

PERIOD_NS = 2_000_000
"""Between two wake-ups (ns): long enough for a CPU to fall idle, short enough for hundreds of them in a second."""

PRIORITY = 10
"""Of SCHED_FIFO: above every ordinary thread, below the kernel's own threads for interrupts (50)."""

DEFAULT_SLACK_NS = 50_000
"""The timer slack that Linux gives to every thread (ns), prctl(2)."""

_ROUND = 50
"""Wake-ups in a round, a tenth of a second: what disturbs the machine for a while disturbs every setting."""

_WARM_UP = 5
"""Wake-ups at the beginning of a round that do not count: the thread is new."""

_REPEATS = 3
"""Times that what core/ does in a time-step is done: about as long as step() of an environment with an interface that
does nothing takes (15 us here)."""

_CLOCK_MONOTONIC, _TIMER_ABSTIME = 1, 1
"""Of <time.h>; Python's own time.CLOCK_MONOTONIC is not there on every system."""


@dataclass(frozen=True)
class Setting:
    """One way to wait.

    Attributes:
        name: of it.
        slack_ns: timer slack of the thread (ns).
        spins: the last part of the wait, as the package does; it sets the timer slack itself, to 1 ns.
        priority: of SCHED_FIFO, or None.
        cpus: that the thread may run on, or None.
        locks_memory: whether memory is locked meanwhile.
    """

    name: str
    slack_ns: int = 1
    spins: bool = True
    priority: int | None = None
    cpus: tuple[int, ...] | None = None
    locks_memory: bool = False

    @property
    def config(self) -> dict[str, Any]:
        """The entries of the configuration that ask for the same; empty without a measure that may be refused."""
        entries = {
            "realtime_priority": self.priority,
            "cpu_affinity": self.cpus,
            "lock_memory": self.locks_memory or None,
        }
        return {name: value for name, value in entries.items() if value is not None}


@dataclass
class Measurement:
    """What was measured with a setting; ``refused`` says why nothing was.

    Attributes:
        setting: of it.
        refused: a line for each measure that the system refuses.
        lateness: from the deadline until the thread was awake.
        done: from the deadline until it had done the work of a time-step, too.
    """

    setting: Setting
    refused: tuple[str, ...] = ()
    lateness: DurationHistogram = field(default_factory=DurationHistogram)
    done: DurationHistogram = field(default_factory=DurationHistogram)
    source: MonotonicTimeSource = field(default_factory=MonotonicTimeSource)
    """Waits where the setting spins; the same in all rounds, so that it goes on learning."""


def settings(cpu: int) -> list[Setting]:
    """Return what is compared.

    Args:
        cpu: number of the one that the thread is bound to in one of them.
    """
    return [
        Setting("sleep, timer slack 50 us", slack_ns=DEFAULT_SLACK_NS, spins=False),
        Setting("sleep, timer slack 1 ns", spins=False),
        Setting("sleep and spin"),
        Setting(f"realtime_priority={PRIORITY}", priority=PRIORITY),
        Setting(f"cpu_affinity=[{cpu}]", cpus=(cpu,)),
        Setting("lock_memory=True", locks_memory=True),
    ]


def all_of(measures: Sequence[Setting]) -> Setting:
    """Return a setting that takes all of them at once."""
    return Setting(
        f"all {len(measures)} of them",
        priority=next((setting.priority for setting in measures if setting.priority), None),
        cpus=next((setting.cpus for setting in measures if setting.cpus), None),
        locks_memory=any(setting.locks_memory for setting in measures),
    )


class LatencyProbe:
    """Measures every setting in short rounds, in turns, so that all of them see the same machine.

    Each round runs in a thread of its own, which puts everything back and ends. What is refused is not measured. The
    measures that are permitted are measured together, too, if there is more than one.

    Args:
        settings: in the order in which they take turns.
        seconds: that all of it takes (s).
    """

    def __init__(self, settings: Sequence[Setting], seconds: float) -> None:
        self._measurements = [Measurement(setting) for setting in settings]
        self._seconds = seconds
        self._stopped = Event()

    def run(self) -> list[Measurement]:
        """Return what was measured; an interruption ends the running round before it comes out."""
        for measurement in self._measurements:
            measurement.refused = self._in_thread(_Round(measurement, 0, self._stopped))
        permitted = [each for each in self._measurements if not each.refused]
        measures = [each.setting for each in permitted if each.setting.config]
        if len(measures) > 1:
            permitted.append(Measurement(all_of(measures)))
            self._measurements.append(permitted[-1])
        wake_ups = self._seconds * NS_PER_S / PERIOD_NS / len(permitted)
        rounds = max(round(wake_ups / (_ROUND + _WARM_UP)), 1)
        for _ in range(rounds):
            for measurement in permitted:
                self._in_thread(_Round(measurement, round(wake_ups / rounds), self._stopped))
        return self._measurements

    def _in_thread(self, work: Callable[[], Result]) -> Result:
        with ThreadPoolExecutor(1, thread_name_prefix="rtgym_ros doctor") as pool:
            try:
                return pool.submit(work).result()
            except BaseException:
                self._stopped.set()  # the pool waits for its thread
                raise


class _Round:
    """Takes the measures and wakes up a few times, in a thread of its own, which ends afterwards."""

    def __init__(self, measurement: Measurement, wake_ups: int, stopped: Event) -> None:
        self._measurement = measurement
        self._wake_ups = wake_ups
        self._stopped = stopped

    def __call__(self) -> tuple[str, ...]:
        """Return what was refused; then nothing was measured."""
        setting = self._measurement.setting
        if not setting.spins and not sys.platform.startswith("linux"):
            return (f"clock_nanosleep(2) is called on Linux only, and this is {sys.platform}",)
        locked = False
        try:
            refused = schedule_this_thread(setting.priority, setting.cpus)
            if setting.locks_memory:
                not_locked = lock_memory()
                locked = not_locked is None
                refused += [not_locked] if not_locked else []
            if not refused:
                self._measure()
            return tuple(map(reason_of, refused))
        finally:
            if locked:
                unlock_memory()

    def _measure(self) -> None:
        setting, work = self._measurement.setting, _TimeStepWork()
        set_timer_slack(setting.slack_ns)
        wait = self._measurement.source.sleep_until_ns if setting.spins else _sleep_until_ns
        taken = []
        deadline_ns = monotonic_ns() + PERIOD_NS
        end_ns = deadline_ns + self._wake_ups * PERIOD_NS
        while deadline_ns < end_ns and not self._stopped.is_set():
            wait(deadline_ns)
            awake_ns = monotonic_ns()
            work.do(awake_ns)
            done_ns = monotonic_ns()
            taken.append((awake_ns - deadline_ns, done_ns - deadline_ns))
            # A deadline that has passed meanwhile is left out: one stall counts once, as in cyclictest.
            deadline_ns += PERIOD_NS * ((done_ns - deadline_ns) // PERIOD_NS + 1)
        for lateness_ns, done_ns in taken[min(_WARM_UP, len(taken) // 2) :]:
            self._measurement.lateness.add(lateness_ns)
            self._measurement.done.add(done_ns)


class _TimeStepWork:
    """What core/ does in a time-step: time it, check the action, keep it, hand out the buffer with an observation."""

    def __init__(self) -> None:
        self._clock = ElasticClock(PERIOD_NS, PERIOD_NS, NEVER_NS)
        self._actions = ActionBuffer(4)
        self._action = np.zeros(2, dtype=np.float32)

    def do(self, now_ns: int) -> None:
        """Do it."""
        for _ in range(_REPEATS):
            self._clock.begin(now_ns)
            if np.isfinite(self._action).all():
                self._actions.append(self._action)
            observation = np.zeros(2, dtype=np.float32)
            (observation.copy(), *self._actions.snapshot())


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


def _sleep_until_ns(deadline_ns: int) -> None:
    """Sleep until ``deadline_ns`` (clock_nanosleep(2)): absolute, so that nothing gets lost on the way to the call."""
    deadline = _Timespec(*divmod(deadline_ns, NS_PER_S))
    sleep = ctypes.CDLL(None).clock_nanosleep
    while sleep(_CLOCK_MONOTONIC, _TIMER_ABSTIME, ctypes.byref(deadline), None) == EINTR:
        pass
