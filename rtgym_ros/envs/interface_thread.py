"""One background thread that makes every call to the interface: on time, or when it is asked to."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Event, Thread, current_thread
from typing import Any

from rtgym_ros.core.errors import InterfaceTimeoutError
from rtgym_ros.core.time_source import TimeSource, to_s
from rtgym_ros.envs.interruption import InterruptibleCall
from rtgym_ros.envs.pending_capture import CAPTURE, SEND, PendingCapture, blocked
from rtgym_ros.envs.submitted_call import SubmittedCall

LATE_TIMEOUT_S = 1.0
"""How long the last attempt to reach the robot after a failure may take (s)."""

_EARLY_NS = 1_000_000
"""How long before a capture the thread stops listening to calls: enough for an operating system's coarse wait."""

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
        call = SubmittedCall(function, *args)
        if self._is_blocked():
            if late:
                self._calls.put(call.run)
            raise _still_blocked(method)
        self._calls.put(call.run)
        timeout_s = min(self._timeout_s, LATE_TIMEOUT_S) if late else self._timeout_s
        try:
            ended = call.wait(timeout_s)
        except BaseException:
            if whole:
                call.wait(timeout_s)
            raise
        if not ended:
            self.blocked()
            raise blocked(method, timeout_s)
        return call.get()

    def call_after(self, pending: PendingCapture, function: Callable[..., Any], *args: Any) -> Any:
        """Run ``function(*args)`` in the thread after the capture ``pending``, when its time-step ends.

        Where the caller comes before the capture nothing is handed over in between. An interrupt of the user keeps it
        from being called, or waits until it has been done.

        Raises:
            InterfaceTimeoutError: the capture or the function did not end in time and was interrupted.
        """
        if self._is_blocked():
            raise _still_blocked(SEND)
        call = SubmittedCall(function, *args)
        pending.successor = call
        if pending.done:  # the thread may be asleep by now
            self._calls.put(_look_again)
        try:
            ended = call.wait(self._until_s(pending.time_step.capture_ns) + self._timeout_s)
            if not ended and pending.done:
                ended = call.wait(self._until_s(pending.time_step.end_ns) + self._timeout_s)
        except BaseException:
            if not call.take():
                call.wait(self._timeout_s)
            raise
        if not ended:
            method = SEND if pending.done else CAPTURE
            call.take()
            self.blocked()
            raise blocked(method, self._timeout_s)
        return call.get()

    def blocked(self) -> None:
        """Interrupt what blocks the thread; until it is free again, calls are refused at once."""
        self._freed = Event()
        self._calls.put(self._freed.set)
        self._interrupt()

    def watch(self, pending: PendingCapture) -> None:
        """Make the capture ``pending`` when it is due; to be called in the thread."""
        self._pending = pending

    def close(self) -> bool:
        """End the thread; return whether it ended (it does not while the interface blocks it)."""
        self._calls.put(None)
        if self._is_current():
            return True  # it ends when it comes back
        self._thread.join(_GRACE_S if self._is_blocked() else self._timeout_s)
        return not self._thread.is_alive()

    def _until_s(self, time_ns: int) -> float:
        return max(to_s(time_ns - self._time_source.now_ns()), 0.0)

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
            wait_s = self._wait_s()
            if wait_s == 0 and self._calls.empty():
                self._go_on()
                continue
            try:
                call = self._calls.get(timeout=wait_s)
            except Empty:
                self._go_on()
                continue
            if call is None:
                return
            if call is not _look_again:
                self._run(call)

    def _run(self, function: Callable[[], None]) -> None:
        self._running = InterruptibleCall()
        self._running.run(function)
        self._running = None

    def _wait_s(self) -> float | None:
        """Return how long calls are listened to before the time-step goes on (s), None if it does not."""
        pending = self._pending
        if pending is None:
            return None
        time_step = pending.time_step
        if not pending.claimed:
            due_ns = time_step.capture_ns
        elif pending.successor is not None and pending.successor.is_wanted:
            due_ns = time_step.end_ns
        else:
            return None
        early_ns = min(_EARLY_NS, (time_step.end_ns - time_step.start_ns) // 4)
        return self._until_s(due_ns - early_ns)

    def _go_on(self) -> None:
        """Capture, or do what follows the capture, or both; what is called waits for the last millisecond itself."""
        pending = self._pending
        if pending is None:
            return
        if pending.claim():
            self._run(pending.capture_for_caller)
            if self._wait_s():
                return  # the time-step lasts
        successor = pending.successor
        if successor is not None and successor.take():  # otherwise the caller has been interrupted
            self._run(successor.run)


def _look_again() -> None:
    """Stand in the queue of calls for none: it only wakes the thread up."""


def _still_blocked(method: str) -> InterfaceTimeoutError:
    return InterfaceTimeoutError(f"the interface still blocks its thread, {method}() cannot be called")
