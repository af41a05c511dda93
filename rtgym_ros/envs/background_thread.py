"""One background thread does the work of the time-steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rtgym_ros.core.errors import ConfigError, InterfaceTimeoutError
from rtgym_ros.core.time_source import TimeSource
from rtgym_ros.envs.interface_thread import InterfaceThread
from rtgym_ros.envs.pending_capture import SEND, PendingCapture
from rtgym_ros.envs.threading_strategy import ThreadingStrategy
from rtgym_ros.envs.time_step_work import Observed, TimeStepWork
from rtgym_ros.realtime.measures import RealtimeMeasures


class BackgroundThread(ThreadingStrategy):
    """One background thread makes every call to the interface (``real-time-gym-ts-v1``)."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(timeout_s)
        self._thread = InterfaceThread(self._time, timeout_s)

    def attach(self, work: TimeStepWork, time_source: TimeSource, measures: RealtimeMeasures) -> None:
        """Give the work to run, the clock to run it on, and what the threads that wait for it do to be on time."""
        if not time_source.passes_by_itself:
            raise ConfigError(
                "real-time-gym-ts-v1 waits in a thread of its own: it needs a clock that passes by itself"
            )
        super().attach(work, time_source, measures)
        self._thread.set_time_source(time_source)

    def call(self, method: str, function: Callable[..., Any], *args: Any, late: bool = False) -> Any:
        """Hand it to the thread and wait for it."""
        return self._thread.call(method, function, *args, late=late)

    def close(self) -> bool:
        """End the thread."""
        return self._thread.close()

    def _start(self, control: Any) -> None:
        if self._enter_thread is not None:
            self._thread.call("schedule", self._enter_thread)
        self._thread.call(SEND, self._begin, control, whole=True)

    def _advance(self, pending: PendingCapture, control: Any, is_last: bool) -> Observed:
        observed: Observed = self._thread.call_after(pending, self._go_on, pending, control, is_last)
        return observed

    def _capture(self, pending: PendingCapture) -> None:
        try:
            pending.result(self._timeout_s, self._until_due_s(pending))
        except InterfaceTimeoutError:
            if not pending.done:
                self._thread.blocked()
            raise

    def _watch(self, pending: PendingCapture) -> None:
        self._thread.watch(pending)
