"""The caller's own thread does the work of the time-steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rtgym_ros.core.errors import InterfaceTimeoutError
from rtgym_ros.core.time_source import TimeSource
from rtgym_ros.envs.call_watchdog import CallWatchdog
from rtgym_ros.envs.capture_helper import CaptureHelper
from rtgym_ros.envs.interface_thread import LATE_TIMEOUT_S
from rtgym_ros.envs.pending_capture import CAPTURE, SEND, PendingCapture
from rtgym_ros.envs.threading_strategy import ThreadingStrategy
from rtgym_ros.envs.time_step_work import Observed, TimeStepWork
from rtgym_ros.realtime.measures import RealtimeMeasures


class CallerThread(ThreadingStrategy):
    """The caller's thread does everything (``real-time-gym-v1``), without a hand-over.

    A helper thread keeps the capture on time when the caller is late. It is started with the first time-step.
    """

    def __init__(self, timeout_s: float) -> None:
        super().__init__(timeout_s)
        self._watchdog = CallWatchdog(timeout_s)
        self._helper: CaptureHelper | None = None

    def attach(self, work: TimeStepWork, time_source: TimeSource, measures: RealtimeMeasures) -> None:
        """Give the work to run, the clock to run it on, and what the threads that wait for it do to be on time."""
        super().attach(work, time_source, measures)
        self._watchdog.time_source = time_source

    def call(self, method: str, function: Callable[..., Any], *args: Any, late: bool = False) -> Any:
        """Call it here."""
        return self._watchdog.run(method, function, *args, timeout_s=LATE_TIMEOUT_S if late else None)

    def close(self) -> bool:
        """End the helper and the watchdog."""
        helper_ended = self._helper is None or self._helper.close()
        return self._watchdog.close() and helper_ended

    def _start(self, control: Any) -> None:
        if self._enter_thread is not None:
            self._enter_thread()
        self._watchdog.run(SEND, self._begin, control)

    def _advance(self, pending: PendingCapture, control: Any, is_last: bool) -> Observed:
        if self._enter_thread is not None:
            self._enter_thread()
        observed: Observed = self._watched(pending, self._capture_and_go_on, pending, control, is_last)
        return observed

    def _capture(self, pending: PendingCapture) -> None:
        self._watched(pending, self._capture_here, pending)

    def _watched(self, pending: PendingCapture, function: Callable[..., Any], *args: Any) -> Any:
        try:
            return self._watchdog.run(CAPTURE, function, *args, due_ns=pending.time_step.capture_ns)
        except InterfaceTimeoutError:
            if self._helper is not None and not pending.done:
                self._helper.interrupt()
            raise

    def _capture_and_go_on(self, pending: PendingCapture, control: Any, is_last: bool) -> Observed:
        self._capture_here(pending)
        self._watchdog.go_on_to(SEND, pending.time_step.end_ns)
        return self._go_on(pending, control, is_last)

    def _capture_here(self, pending: PendingCapture) -> None:
        if pending.claim():
            if self._helper is not None:
                self._helper.leave(pending)
            pending.capture()
        if not pending.done:
            pending.result(self._timeout_s, self._until_due_s(pending))
        pending.get()

    def _turns_to(self, method: str) -> None:
        self._watchdog.go_on_to(method)

    def _watch(self, pending: PendingCapture) -> None:
        if not self._time.passes_by_itself:
            return  # on such a clock nobody can be late
        if self._helper is None:
            self._helper = CaptureHelper(self._time, self._timeout_s, self._enter_thread)
        self._helper.watch(pending)
