"""A thread that makes a capture on time where the caller, whose it is, does not come back in time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Thread, current_thread

from rtgym_ros.core.deadline_timer import make_deadline_timer
from rtgym_ros.core.time_source import TimeSource
from rtgym_ros.envs.interruption import InterruptibleCall
from rtgym_ros.envs.pending_capture import PendingCapture

_EARLY_NS = 1_000_000
"""How long before a capture the thread looks whether it is wanted: late enough that a caller who comes back at all
in time has mostly done so, early enough for an operating system's coarse timed wait."""

_OVERDUE_NS = 1_000_000
"""How long a caller who is behind is left to make overdue captures itself (ns): the two would get in each other's way,
and to set a timer that goes off soon costs more than a time-step."""


class CaptureHelper:
    """The thread. While the caller is in time it never wakes up.

    Args:
        time_source: the clock of the captures.
        timeout_s: the longest that :meth:`close` waits (s).
        enter_thread: called in the thread before anything else.
    """

    def __init__(
        self, time_source: TimeSource, timeout_s: float, enter_thread: Callable[[], None] | None = None
    ) -> None:
        self._time_source = time_source
        self._timeout_s = timeout_s
        self._timer = make_deadline_timer(time_source)
        self._look_ns = 0
        self._pending: PendingCapture | None = None
        self._running: InterruptibleCall | None = None
        self._closed = False
        self._enter_thread = enter_thread
        self._thread = Thread(target=self._loop, name="rtgym_ros capture helper", daemon=True)
        self._thread.start()

    def watch(self, pending: PendingCapture) -> None:
        """Make the capture ``pending`` on time unless somebody claims it before."""
        self._pending = pending
        look_ns, now_ns = _look_ns(pending), self._time_source.now_ns()
        if look_ns <= now_ns:
            if self._look_ns <= now_ns:
                self._move(now_ns + _OVERDUE_NS)
        elif look_ns != self._look_ns:
            self._move(look_ns)
        # Otherwise leave() has set the timer already, and when it goes off this one is there to be seen.

    def leave(self, pending: PendingCapture) -> None:
        """Leave ``pending`` to who has claimed it: look again when the capture of the next time-step is expected."""
        time_step = pending.time_step
        look_ns = _look_ns(pending) + time_step.end_ns - time_step.start_ns
        if look_ns > self._time_source.now_ns():
            self._move(look_ns)

    def interrupt(self) -> None:
        """Interrupt the capture that blocks the thread."""
        running = self._running
        if running is not None:
            running.interrupt()

    def close(self) -> bool:
        """End the thread; return whether it ended (it does not while the interface blocks it)."""
        if self._closed:
            return not self._thread.is_alive()
        self._closed = True
        self._timer.move(0)
        if self._thread is current_thread():
            return True  # a forgotten environment is collected in whichever thread: this one ends when it comes back
        self._thread.join(self._timeout_s)
        return not self._thread.is_alive()

    def _move(self, look_ns: int) -> None:
        self._look_ns = look_ns
        self._timer.move(look_ns)

    def _loop(self) -> None:
        if self._enter_thread is not None:
            with suppress(Warning):  # where those are errors: the caller has heard this one already
                self._enter_thread()
        while not self._closed:
            self._timer.wait()
            pending = self._pending
            if pending is None or pending.claimed or self._time_source.now_ns() < _look_ns(pending):
                continue
            with suppress(Exception):  # of a clock that stands still: the capture waits too, and tells the caller
                self._time_source.sleep_until_ns(pending.time_step.capture_ns)
            if pending.claim():
                self._running = InterruptibleCall()
                self._running.run(pending.capture_for_caller)
                self._running = None
        self._timer.close()


def _look_ns(pending: PendingCapture) -> int:
    """When to look whether a capture is wanted (ns)."""
    time_step = pending.time_step
    return time_step.capture_ns - min(_EARLY_NS, (time_step.end_ns - time_step.start_ns) // 4)
