"""Where time comes from: everything that waits or reads a clock is given one of these."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from threading import local
from time import monotonic_ns, sleep

from rtgym_ros.core.spin_margin import SpinMargin
from rtgym_ros.core.timer_slack import set_timer_slack

NS_PER_S = 1_000_000_000


def to_ns(seconds: float) -> int:
    """Convert seconds to integer nanoseconds, rounded to the nearest."""
    return round(seconds * NS_PER_S)


def to_s(nanoseconds: int) -> float:
    """Convert integer nanoseconds to seconds."""
    return nanoseconds / NS_PER_S


class TimeSource(ABC):
    """A clock that can be read and waited for. Times are integer nanoseconds from an arbitrary origin.

    Attributes:
        passes_by_itself: whether time goes on while nobody waits for it; false of a fake clock.
        spins: whether it may burn processor time to be on time, where it knows how to.
        poll_period: after how long (s of real time) to look at the clock again while it is waited for: short for a
            clock with a rate of its own, a simulator's, and infinite for one that keeps real time.
    """

    passes_by_itself: bool = True
    spins: bool = True
    poll_period: float = math.inf

    @property
    def lead_ns(self) -> int:
        """A millisecond: enough for an operating system's coarse timed wait."""
        return 1_000_000

    def woke_up(self, due_ns: int) -> None:
        """Called after a wait for something else that was to end at ``due_ns``, a lead before a deadline."""

    @abstractmethod
    def now_ns(self) -> int:
        """Return the current time (ns); never less than an earlier answer."""

    @abstractmethod
    def sleep_until_ns(self, deadline_ns: int) -> None:
        """Return at ``deadline_ns`` or as soon after it as possible, at once if it has passed.

        Raises:
            ClockJumpError: the clock was set back while it was waited for.
        """


class MonotonicTimeSource(TimeSource):
    """The operating system's monotonic clock, waited for to within microseconds.

    It sleeps until shortly before the deadline, with a timer slack of 1 ns where the kernel allows it, and spins for
    the rest. The margin it spins for follows what this machine's sleeps have overshot lately, within bounds.

    Args:
        min_margin_ns: least time to spin (ns).
        max_margin_ns: most time to spin (ns): what one wait may burn of a core.
    """

    def __init__(self, min_margin_ns: int = 20_000, max_margin_ns: int = 500_000) -> None:
        self._margin = SpinMargin(min_margin_ns, max_margin_ns)
        self._thread = local()

    now_ns = staticmethod(monotonic_ns)  # itself: this is read many times a time-step

    @property
    def lead_ns(self) -> int:
        """The time to spin: another timed wait wakes up as late as a sleep does."""
        return self._margin.ns if self.spins else 0

    def woke_up(self, due_ns: int) -> None:
        """Learn how late such a wait ended."""
        self._margin.learn(monotonic_ns() - due_ns)

    def sleep_until_ns(self, deadline_ns: int) -> None:
        """Sleep, then spin, until ``deadline_ns``."""
        wake_ns = deadline_ns - self._margin.ns if self.spins else deadline_ns
        before_ns = monotonic_ns()
        if before_ns < wake_ns:
            if not hasattr(self._thread, "slack_set"):  # the slack belongs to a thread, not to the process
                self._thread.slack_set = set_timer_slack(1)
            sleep((wake_ns - before_ns) / NS_PER_S)
            self._margin.learn(monotonic_ns() - wake_ns)
        while monotonic_ns() < deadline_ns:
            pass


class FakeTimeSource(TimeSource):
    """A clock for tests: it stands still until something sleeps or a test advances it.

    Args:
        start_ns: the time at first (ns).
        overshoot_ns: called once a sleep; how late (ns) that sleep returns.
    """

    passes_by_itself = False

    def __init__(self, start_ns: int = 0, overshoot_ns: Callable[[], int] = lambda: 0) -> None:
        self._now_ns = start_ns
        self._overshoot_ns = overshoot_ns

    def now_ns(self) -> int:
        """Return the time that was last set (ns)."""
        return self._now_ns

    def sleep_until_ns(self, deadline_ns: int) -> None:
        """Jump to ``deadline_ns`` plus the injected overshoot; stay where it is if that has passed."""
        if deadline_ns > self._now_ns:
            self._now_ns = deadline_ns + self._overshoot_ns()

    def advance_ns(self, duration_ns: int) -> None:
        """Let ``duration_ns`` pass.

        Raises:
            ValueError: ``duration_ns`` is negative.
        """
        if duration_ns < 0:
            raise ValueError(f"time cannot go back: advance_ns({duration_ns})")
        self._now_ns += duration_ns
