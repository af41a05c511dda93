"""A wait for a deadline that others keep moving further away, without ever waking up for the old one."""

from __future__ import annotations

import ctypes
import os
from abc import ABC, abstractmethod
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import TIMEOUT_MAX

from rtgym_ros.core.time_source import NS_PER_S, TimeSource, to_s

_LONGEST_NS = 10**9 * NS_PER_S
"""Until then nobody waits (ns): 30 years."""


class DeadlineTimer(ABC):
    """One thread waits in :meth:`wait`; any thread moves the deadline. There is none at first, nor after a wait."""

    @abstractmethod
    def move(self, deadline_ns: int) -> None:
        """Let :meth:`wait` return at ``deadline_ns``, or now if that has passed, and no longer at an earlier one."""

    @abstractmethod
    def wait(self) -> None:
        """Return when the deadline has passed."""

    @abstractmethod
    def close(self) -> None:
        """Free what it holds of the system; nobody may be waiting any more."""


class KernelTimer(DeadlineTimer):
    """A timerfd (Linux): who waits sleeps in the kernel, however often the deadline is moved.

    Args:
        time_source: the clock of the deadlines.

    Raises:
        OSError: the system has none.
    """

    def __init__(self, time_source: TimeSource) -> None:
        self._time_source = time_source
        self._deadline_ns = 0
        self._descriptor = _create()
        # Of each side its own: the other one may be about to hand its to the kernel.
        self._moved, self._resumed = _TimerSpec(), _TimerSpec()

    def move(self, deadline_ns: int) -> None:
        """Set the deadline, in about a microsecond."""
        self._deadline_ns = deadline_ns
        self._arm(self._moved, deadline_ns - self._time_source.now_ns())

    def wait(self) -> None:
        """Sleep until the kernel says so, and again if the time source does not agree (a simulated clock)."""
        while True:
            os.read(self._descriptor, 8)
            while True:
                deadline_ns = self._deadline_ns
                remaining_ns = deadline_ns - self._time_source.now_ns()
                if remaining_ns <= 0:
                    return
                self._arm(self._resumed, remaining_ns)
                if deadline_ns == self._deadline_ns:
                    break  # otherwise somebody moved it in between, perhaps before what was armed here

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)

    def _arm(self, spec: _TimerSpec, remaining_ns: int) -> None:
        # 0 would disarm it, and what does not fit would be cut off.
        spec.seconds, spec.nanoseconds = divmod(min(max(remaining_ns, 1), _LONGEST_NS), NS_PER_S)
        _timerfd_settime(self._descriptor, 0, ctypes.byref(spec), None)


class PolledTimer(DeadlineTimer):
    """The same everywhere: who waits wakes up for deadlines that have been moved since, and goes to sleep again.

    Args:
        time_source: the clock of the deadlines.
    """

    def __init__(self, time_source: TimeSource) -> None:
        self._time_source = time_source
        self._deadline: tuple[int] | None = None  # a new object for each move
        self._served: tuple[int] | None = None
        self._wakes_ns: int | None = None
        self._moves: SimpleQueue[None] = SimpleQueue()

    def move(self, deadline_ns: int) -> None:
        """Set the deadline; wake who waits if that is asleep for longer."""
        self._deadline = (deadline_ns,)
        wakes_ns = self._wakes_ns
        if wakes_ns is None or deadline_ns < wakes_ns:
            self._moves.put(None)

    def wait(self) -> None:
        """Sleep from one look to the next."""
        while True:
            self._wakes_ns = None  # said before looking: what is moved from here on wakes
            timeout_s = None
            deadline = self._deadline
            if deadline is not None and deadline is not self._served:
                remaining_ns = deadline[0] - self._time_source.now_ns()
                if remaining_ns <= 0:
                    self._served = deadline
                    return
                self._wakes_ns = deadline[0]
                timeout_s = min(to_s(remaining_ns), TIMEOUT_MAX)
            with suppress(Empty):
                self._moves.get(timeout=timeout_s)

    def close(self) -> None:
        """Do nothing: it holds nothing."""


def make_deadline_timer(time_source: TimeSource) -> DeadlineTimer:
    """Return the best that this system has."""
    try:
        return KernelTimer(time_source)
    except OSError:
        return PolledTimer(time_source)


class _TimerSpec(ctypes.Structure):
    """struct itimerspec of timerfd_settime(2); the interval of a repeating timer stays 0."""

    _fields_ = (
        ("interval_seconds", ctypes.c_long),
        ("interval_nanoseconds", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    )


_CLOCK_MONOTONIC = 1
_TFD_CLOEXEC = os.O_CLOEXEC

try:
    # PyDLL keeps the interpreter's lock: these return at once, and a busy thread would give it back milliseconds later.
    _libc = ctypes.PyDLL(None, use_errno=True)
    _timerfd_create = _libc.timerfd_create
    _timerfd_settime = _libc.timerfd_settime
    _timerfd_settime.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    _has_timerfd = True
except (OSError, AttributeError, TypeError):
    _has_timerfd = False


def _create() -> int:
    if not _has_timerfd:
        raise OSError("this system has no timerfd")
    descriptor = int(_timerfd_create(_CLOCK_MONOTONIC, _TFD_CLOEXEC))
    if descriptor < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return descriptor
