"""Which thread does the work of the time-steps: what all ways have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from rtgym_ros.core.caller_warning import warn_caller
from rtgym_ros.core.errors import TimeStepTimeoutWarning
from rtgym_ros.core.time_source import MonotonicTimeSource, TimeSource, to_s
from rtgym_ros.envs.pending_capture import CAPTURE, PendingCapture
from rtgym_ros.envs.time_step_work import Observed, TimeStepWork
from rtgym_ros.realtime.measures import RealtimeMeasures


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
        self._enter_thread: Callable[[], None] | None = None

    def attach(self, work: TimeStepWork, time_source: TimeSource, measures: RealtimeMeasures) -> None:
        """Give the work to run, the clock to run it on, and what the threads that wait for it do to be on time."""
        self._work = work
        self._time = time_source
        self._enter_thread = measures.enter_thread if measures.schedules else None

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
    def _start(self, control: Any) -> None:
        """Have :meth:`_begin` called in the thread that the interface belongs to."""

    @abstractmethod
    def _advance(self, pending: PendingCapture, control: Any, is_last: bool) -> Observed:
        """Have ``pending`` captured and :meth:`_go_on` called in that thread, and return what the latter does."""

    @abstractmethod
    def _capture(self, pending: PendingCapture) -> None:
        """Wait until ``pending`` is captured."""

    @abstractmethod
    def _watch(self, pending: PendingCapture) -> None:
        """See to it that ``pending`` is captured on time though the caller may be late."""

    def start(self, action: Any) -> None:
        """Begin the next time-step by sending ``action``; :meth:`join` the running one before."""
        self._start(self._attached.prepare(action))
        self._warn_of_timeout()

    def advance(self, action: Any, is_last: bool) -> Observed:
        """Do both: wait for the end of the running time-step, return what it captured, and begin the next one.

        None is begun after the last one of an episode: where ``is_last``, or what was captured says so.
        """
        pending = self._pending
        assert pending is not None, "an episode has a time-step under way"
        observed = self._advance(pending, self._attached.prepare(action), is_last)
        if self._pending is not pending:
            self._warn_of_timeout()
        return observed

    def join(self) -> None:
        """Wait for the end of the running time-step, if there is one; :meth:`advance` still tells what it captured."""
        if self._pending is not None:
            self._capture(self._pending)
            self._time.sleep_until_ns(self._pending.time_step.end_ns)

    def abandon(self) -> None:
        """Forget the running time-step: nobody captures in it any more."""
        if self._pending is not None:
            self._pending.claim()
            self._pending = None

    @property
    def _attached(self) -> TimeStepWork:
        assert self._work is not None, "attach() comes first"
        return self._work

    def _go_on(self, pending: PendingCapture, control: Any, is_last: bool) -> Observed:
        """Wait for the end of a time-step that has been captured, begin the next one, and return what was captured.

        The send comes first. What was captured is only looked at before where it may have ended the episode.
        """
        work = self._attached
        time_step, captured = pending.time_step, pending.get()
        if time_step.capture_ns < time_step.end_ns:
            self._time.sleep_until_ns(time_step.end_ns)
        if captured.goes_on:
            if not is_last:
                self._begin(control)
            self._turns_to(CAPTURE)
            return work.observe(time_step, captured)
        observed = work.observe(time_step, captured)
        if not (is_last or observed.terminated):
            self._begin(control)
        return observed

    def _begin(self, control: Any) -> None:
        """Begin a time-step and see to its capture."""
        work = self._attached
        try:
            work.begin(control)
        finally:  # what has begun has a capture, even if an interrupt of the user came in between
            begun, running = work.begun, self._pending
            if begun is not None and (running is None or begun is not running.time_step):
                self._pending = PendingCapture(begun, work.capture)
                self._watch(self._pending)

    def _turns_to(self, method: str) -> None:
        """Hear which method of the interface the thread is concerned with from here on."""

    def _until_due_s(self, pending: PendingCapture) -> float:
        return max(to_s(pending.time_step.capture_ns - self._time.now_ns()), 0.0)

    def _warn_of_timeout(self) -> None:
        if self._pending is None or not self._pending.time_step.timed_out:
            return
        time_step = self._pending.time_step
        warn_caller(
            f"time-step {time_step.index} timed out: it began {to_s(time_step.lateness_ns):.6f} s late, "
            "more than its elasticity; the clock restarts from now",
            TimeStepTimeoutWarning,
        )
