"""One background thread that captures on time what nobody else has, and runs calls in between."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread, current_thread
from typing import Any

from rtgym_ros.core.errors import InterfaceTimeoutError
from rtgym_ros.core.time_source import TimeSource, to_s
from rtgym_ros.envs.interruption import InterruptibleCall
from rtgym_ros.envs.outcome import Outcome
from rtgym_ros.envs.pending_capture import PendingCapture, blocked

LATE_TIMEOUT_S = 1.0
"""How long the last attempt to reach the robot after a failure may take (s)."""

_EARLY_NS = 1_000_000
"""How long before a capture the thread looks whether it is wanted: late enough that a caller who comes back at all
in time has mostly done so, early enough for an operating system's coarse timed wait."""

_GRACE_S = 0.1
"""How long a thread that was interrupted is given to show that it no longer is blocked (s)."""


class InterfaceThread:
    """The thread. It sleeps unless a capture comes up or a call is submitted.

    Args:
        time_source: the clock of the captures.
        timeout_s: the longest that :meth:`call` and :meth:`close` wait (s).
    """

    def __init__(self, time_source: TimeSource, timeout_s: float) -> None:
        self._time_source = time_source
        self._timeout_s = timeout_s
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._pending: PendingCapture | None = None
        self._retired: PendingCapture | None = None
        self._asleep = True
        self._look_ns = 0
        self._freed: Event | None = None
        self._running: InterruptibleCall | None = None
        self._thread = Thread(target=self._loop, name="rtgym_ros interface", daemon=True)
        self._thread.start()

    def set_time_source(self, time_source: TimeSource) -> None:
        """Change the clock of the captures; no capture may be under way."""
        self._time_source = time_source

    def call(
        self, method: str, function: Callable[..., Any], *args: Any, late: bool = False, whole: bool = False
    ) -> Any:
        """Run ``function(*args)`` in the thread and return or raise what it did; ``method`` names it in errors.

        Args:
            method: name of what is called.
            function: what is called.
            *args: with what.
            late: the last attempt after a failure: it has a second at most, and is made still when the thread is free.
            whole: an interrupt of the user waits until it has been done.

        Raises:
            InterfaceTimeoutError: it did not return in time and was interrupted; or an earlier one cannot be.
        """
        if self._is_current():
            return function(*args)
        outcome = Outcome()

        def run() -> None:
            try:
                outcome.succeed(function(*args))
            except BaseException as error:
                outcome.fail(error)

        if self._is_blocked():
            if late:
                self._calls.put(run)
            raise InterfaceTimeoutError(f"the interface still blocks its thread, {method}() cannot be called")
        self._calls.put(run)
        timeout_s = min(self._timeout_s, LATE_TIMEOUT_S) if late else self._timeout_s
        try:
            ended = outcome.wait(timeout_s)
        except BaseException:
            if whole:
                outcome.wait(timeout_s)
            raise
        if not ended:
            self.blocked()
            raise blocked(method, timeout_s)
        return outcome.get()

    def blocked(self) -> None:
        """Interrupt what blocks the thread; until it is free again, calls are refused at once."""
        self._freed = Event()
        self._calls.put(self._freed.set)
        self._interrupt()

    def watch(self, pending: PendingCapture) -> None:
        """Make the capture ``pending`` on time unless somebody claims it before."""
        self._pending = pending
        if self._asleep or _look_ns(pending) < self._look_ns:  # otherwise it wakes in time and finds this one
            self._calls.put(_nothing)

    def close(self) -> bool:
        """End the thread; return whether it ended (it does not while the interface blocks it)."""
        self._calls.put(None)
        if self._is_current():
            return True  # it ends when it comes back
        self._thread.join(_GRACE_S if self._is_blocked() else self._timeout_s)
        return not self._thread.is_alive()

    def _interrupt(self) -> None:
        running = self._running
        if running is not None:
            running.interrupt()

    def _is_blocked(self) -> bool:
        """Whether the thread is blocked and stays so though it is interrupted."""
        freed = self._freed
        if freed is None or freed.wait(_GRACE_S):
            return False
        self._interrupt()  # once more: it may have been swallowed
        return not freed.wait(_GRACE_S)

    def _is_current(self) -> bool:
        """Whether the caller is the thread itself: a forgotten environment is collected in whichever thread."""
        return self._thread is current_thread()

    def _loop(self) -> None:
        while True:
            try:
                call = self._calls.get(timeout=self._wait_s())
            except Empty:
                self._look()
                continue
            if call is None:
                return
            self._run(call)

    def _run(self, function: Callable[[], None]) -> None:
        self._running = InterruptibleCall()
        self._running.run(function)
        self._running = None

    def _wait_s(self) -> float | None:
        """Return the time until the next look at the pending capture (s), None to sleep until called."""
        self._asleep = True  # said before looking: a capture that comes up from here on sends a call
        pending = self._pending
        if pending is None or pending is self._retired:
            return None
        self._asleep = False
        # A claimed capture needs nobody: look again when that of the next time-step is expected.
        self._look_ns = _look_ns(pending) + (_duration_ns(pending) if pending.claimed else 0)
        return max(to_s(self._look_ns - self._time_source.now_ns()), 0.0)

    def _look(self) -> None:
        pending = self._pending
        if pending is None or self._time_source.now_ns() < _look_ns(pending):
            return  # this wake-up was for an earlier one
        if pending.claimed:
            if self._time_source.now_ns() >= _look_ns(pending) + _duration_ns(pending):
                self._retired = pending  # no time-step followed it: sleep until one does
            return
        with suppress(Exception):  # of a clock that stands still: the capture waits for it too, and tells the caller
            self._time_source.sleep_until_ns(pending.time_step.capture_ns)
        if pending.claim():
            self._run(pending.capture_for_caller)


def _duration_ns(pending: PendingCapture) -> int:
    return pending.time_step.end_ns - pending.time_step.start_ns


def _look_ns(pending: PendingCapture) -> int:
    """When to look whether a capture is wanted (ns)."""
    return pending.time_step.capture_ns - min(_EARLY_NS, _duration_ns(pending) // 4)


def _nothing() -> None:
    pass
