"""The elastic clock: when each time-step starts, captures and ends. Arithmetic only, in integer nanoseconds."""

from __future__ import annotations

from typing import NamedTuple

NEVER_NS = 2**62
"""An elasticity (ns) that no lateness exceeds: about 146 years."""

_new = tuple.__new__  # half the cost of the constructor of a named tuple


class TimeStep(NamedTuple):
    """One period of the elastic clock; times in ns of the clock's time source.

    Attributes:
        index: how many time-steps began before this one.
        start_ns: where it begins on the grid; the control is sent as soon after it as possible.
        capture_ns: when its observation is due.
        end_ns: when it is over.
        began_ns: when it really began: just before its control was sent.
        lateness_ns: how long after the end of the previous one it really began, 0 for the first.
        overrun: it began late by more than the tolerance, but within the elasticity; later ones catch up.
        timed_out: it began later than the elasticity allows, so the grid was restarted.
    """

    index: int  # type: ignore[assignment]  # in the place of tuple.index(), which is of no use here
    start_ns: int
    capture_ns: int
    end_ns: int
    began_ns: int
    lateness_ns: int = 0
    overrun: bool = False
    timed_out: bool = False


class ElasticClock:
    """Lays time-steps end to end, lets late ones catch up, and starts afresh when they are hopelessly late.

    A time-step begins where the previous one ended if ``now < previous end + elasticity``; otherwise it begins now,
    and a timeout is counted unless the clock was paused (Real-Time Gym's elastic time-stepping).

    Args:
        duration_ns: nominal duration of a time-step (ns), positive.
        capture_offset_ns: from the start of a time-step to its capture (ns), not negative.
        elasticity_ns: how late a time-step may begin and still be counted from the previous end (ns), not negative.
        tolerance_ns: how late it may begin without being called an overrun (ns): what waking up and capturing take.
    """

    def __init__(self, duration_ns: int, capture_offset_ns: int, elasticity_ns: int, tolerance_ns: int = 0) -> None:
        self.retime(duration_ns, capture_offset_ns, elasticity_ns, tolerance_ns)
        self._current: TimeStep | None = None
        self._paused = False
        self._shift_ns = 0
        self._index = 0
        self._overruns = 0
        self._timeouts = 0

    @property
    def current(self) -> TimeStep | None:
        """The time-step that was begun last, None before the first and after :meth:`restart`."""
        return self._current

    @property
    def time_steps(self) -> int:
        """How many time-steps have begun."""
        return self._index

    @property
    def overruns(self) -> int:
        """How many time-steps began late but within the elasticity."""
        return self._overruns

    @property
    def timeouts(self) -> int:
        """How many time-steps began later than that (pauses are not counted)."""
        return self._timeouts

    @property
    def is_paused(self) -> bool:
        """Whether the next time-step is excused: after :meth:`pause`, until it begins."""
        return self._paused

    @property
    def next_capture_ns(self) -> int | None:
        """When the capture of the next time-step is due if that begins in time (ns); None without a grid."""
        return None if self._current is None else self._current.end_ns + self._capture_offset_ns

    def retime(self, duration_ns: int, capture_offset_ns: int, elasticity_ns: int, tolerance_ns: int = 0) -> None:
        """Change the timing from the next time-step on; the running one ends when it was to end.

        Raises:
            ValueError: the duration is not positive, or another value is negative.
        """
        if duration_ns <= 0 or min(capture_offset_ns, elasticity_ns, tolerance_ns) < 0:
            raise ValueError(
                "the clock needs duration_ns > 0 and capture_offset_ns, elasticity_ns, tolerance_ns >= 0, "
                f"got {duration_ns} and {capture_offset_ns}, {elasticity_ns}, {tolerance_ns}"
            )
        self._duration_ns = duration_ns
        self._capture_offset_ns = capture_offset_ns
        self._elasticity_ns = elasticity_ns
        self._tolerance_ns = tolerance_ns

    def pause(self) -> None:
        """Excuse the next time-step: late by a time-step or more, it restarts the grid and is not counted."""
        self._paused = True

    def restart(self) -> None:
        """Forget the grid: the next time-step begins when it is begun, however long that takes."""
        self._current = None
        self._shift_ns = 0

    def shift_next_capture(self, shift_ns: int) -> None:
        """Have the next time-step capture, and end, so much later (ns; negative: earlier); a second call replaces it.

        It begins where the running one ends all the same, so that nothing becomes late by a shift. All that follow are
        moved with it.

        Raises:
            ValueError: it is more than half of a time-step, or would put the capture before the start.
        """
        if not -min(self._capture_offset_ns, self._duration_ns // 2) <= shift_ns <= self._duration_ns // 2:
            raise ValueError(
                f"a capture {self._capture_offset_ns} ns after the start of a time-step of {self._duration_ns} ns can "
                f"be shifted by up to half of a time-step, and not before the start, got {shift_ns} ns"
            )
        self._shift_ns = shift_ns

    def begin(self, now_ns: int) -> TimeStep:
        """Begin the next time-step at ``now_ns`` and return it."""
        due_ns = now_ns if self._current is None else self._current.end_ns
        lateness_ns = max(now_ns - due_ns, 0)
        # After a pause nothing is caught up: a robot would get all the missed time-steps at once.
        elasticity_ns = min(self._elasticity_ns, self._duration_ns) if self._paused else self._elasticity_ns
        on_grid = self._current is None or now_ns < due_ns + elasticity_ns
        timed_out = not on_grid and not self._paused
        overrun = on_grid and lateness_ns > self._tolerance_ns
        start_ns = due_ns if on_grid else now_ns
        # retime() may have made the time-step shorter since the shift was given.
        shift_ns = max(self._shift_ns, -self._capture_offset_ns, 1 - self._duration_ns)
        self._shift_ns = 0
        self._paused = False
        self._overruns += overrun
        self._timeouts += timed_out
        capture_ns = start_ns + self._capture_offset_ns + shift_ns
        end_ns = start_ns + self._duration_ns + shift_ns
        self._current = _new(
            TimeStep, (self._index, start_ns, capture_ns, end_ns, now_ns, lateness_ns, overrun, timed_out)
        )
        self._index += 1
        return self._current
