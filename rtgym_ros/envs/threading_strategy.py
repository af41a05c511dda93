"""Which thread does the work of a time-step: the caller's own, or one background thread for everything."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from rtgym_ros.core.caller_warning import warn_caller
from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.core.errors import ConfigError, InterfaceTimeoutError, TimeStepTimeoutWarning
from rtgym_ros.core.time_source import MonotonicTimeSource, TimeSource, to_s
from rtgym_ros.envs.call_watchdog import CallWatchdog
from rtgym_ros.envs.interface_thread import LATE_TIMEOUT_S, InterfaceThread
from rtgym_ros.envs.pending_capture import CAPTURE, PendingCapture
from rtgym_ros.envs.time_step_work import Observed, TimeStepWork


class ThreadingStrategy(ABC):
    """Runs the time-steps of one environment, one after the other.

    Args:
        timeout_s: the longest that anything waits for the interface (s).
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._pending: PendingCapture | None = None
        self._work: TimeStepWork | None = None
        self._time: TimeSource = MonotonicTimeSource()

    def attach(self, work: TimeStepWork, time_source: TimeSource) -> None:
        """Give the work to run and the clock to run it on."""
        self._work = work
        self._time = time_source

    @abstractmethod
    def call(self, method: str, function: Callable[..., Any], *args: Any, late: bool = False) -> Any:
        """Call a method of the interface in the thread that it belongs to; ``method`` names it in errors.

        With ``late`` it is the last attempt after a failure: it has a second at most, and is made all the same when
        that thread is blocked now and free later.

        Raises:
            InterfaceTimeoutError: it did not return in time; it was interrupted if that is possible.
        """

    @abstractmethod
    def close(self) -> bool:
        """End every thread that was started; return whether they ended. May be called twice."""

    @abstractmethod
    def _begin(self, work: TimeStepWork, action: Any) -> None:
        """Begin a time-step in the thread that the interface belongs to."""

    @abstractmethod
    def _observe(self, pending: PendingCapture) -> Observed:
        """Return what ``pending`` captures."""

    @abstractmethod
    def _watch(self, pending: PendingCapture) -> None:
        """See to it that ``pending`` is captured on time though the caller may be late."""

    def start(self, action: Any) -> None:
        """Begin the next time-step by sending ``action``; :meth:`join` the running one before."""
        work = self._work
        assert work is not None, "attach() comes first"
        begun_before = work.begun
        try:
            self._begin(work, action)
        finally:  # what has begun has a capture, even if an interrupt of the user came in between
            if work.begun is not None and work.begun is not begun_before:
                self._pending = PendingCapture(work.begun, work.capture)
                self._watch(self._pending)
        if self._pending is not None and self._pending.time_step.timed_out:
            _warn_of_timeout(self._pending.time_step)

    def join(self) -> Observed | None:
        """Wait for the end of the running time-step and return what it captured, None if there is none.

        It may be asked for again, as after a ``wait()``.
        """
        if self._pending is None:
            return None
        observed = self._observe(self._pending)
        self._time.sleep_until_ns(self._pending.time_step.end_ns)
        return observed

    def _until_due_s(self, pending: PendingCapture) -> float:
        return max(to_s(pending.time_step.capture_ns - self._time.now_ns()), 0.0)

    def abandon(self) -> None:
        """Forget the running time-step: nobody captures in it any more."""
        if self._pending is not None:
            self._pending.claim()
            self._pending = None


class CallerThread(ThreadingStrategy):
    """The caller's thread does everything (``real-time-gym-v1``), without a hand-over.

    A helper thread keeps the capture on time when the caller is late. It is started with the first time-step.
    """

    def __init__(self, timeout_s: float) -> None:
        super().__init__(timeout_s)
        self._watchdog = CallWatchdog(timeout_s)
        self._helper: InterfaceThread | None = None

    def call(self, method: str, function: Callable[..., Any], *args: Any, late: bool = False) -> Any:
        """Call it here."""
        return self._watchdog.run(method, function, *args, timeout_s=LATE_TIMEOUT_S if late else None)

    def close(self) -> bool:
        """End the helper and the watchdog."""
        helper_ended = self._helper is None or self._helper.close()
        return self._watchdog.close() and helper_ended

    def _begin(self, work: TimeStepWork, action: Any) -> None:
        self._watchdog.run("send_control", work.begin, action)

    def _observe(self, pending: PendingCapture) -> Observed:
        if pending.claim():
            self._watchdog.run(CAPTURE, pending.capture, before_s=self._until_due_s(pending))
            return pending.result(self._timeout_s)
        try:
            return pending.result(self._timeout_s, self._until_due_s(pending))
        except InterfaceTimeoutError:
            if self._helper is not None and not pending.done:
                self._helper.blocked()
            raise

    def _watch(self, pending: PendingCapture) -> None:
        if not self._time.passes_by_itself:
            return  # on such a clock nobody can be late
        if self._helper is None:
            self._helper = InterfaceThread(self._time, self._timeout_s)
        self._helper.watch(pending)


class BackgroundThread(ThreadingStrategy):
    """One background thread makes every call to the interface (``real-time-gym-ts-v1``)."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(timeout_s)
        self._thread = InterfaceThread(self._time, timeout_s)

    def attach(self, work: TimeStepWork, time_source: TimeSource) -> None:
        """Give the work to run and the clock to run it on."""
        if not time_source.passes_by_itself:
            raise ConfigError(
                "real-time-gym-ts-v1 waits in a thread of its own: it needs a clock that passes by itself"
            )
        super().attach(work, time_source)
        self._thread.set_time_source(time_source)

    def call(self, method: str, function: Callable[..., Any], *args: Any, late: bool = False) -> Any:
        """Hand it to the thread and wait for it."""
        return self._thread.call(method, function, *args, late=late)

    def close(self) -> bool:
        """End the thread."""
        return self._thread.close()

    def _begin(self, work: TimeStepWork, action: Any) -> None:
        self._thread.call("send_control", work.begin, action, whole=True)

    def _observe(self, pending: PendingCapture) -> Observed:
        try:
            return pending.result(self._timeout_s, self._until_due_s(pending))
        except InterfaceTimeoutError:
            if not pending.done:
                self._thread.blocked()
            raise

    def _watch(self, pending: PendingCapture) -> None:
        self._thread.watch(pending)


def _warn_of_timeout(time_step: TimeStep) -> None:
    warn_caller(
        f"time-step {time_step.index} timed out: it began {to_s(time_step.lateness_ns):.6f} s late, "
        "more than its elasticity; the clock restarts from now",
        TimeStepTimeoutWarning,
    )
