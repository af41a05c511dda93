"""Keeps callbacks from beginning when a clock thread of the same interpreter is about to be on time."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from threading import Lock
from time import monotonic_ns

_SETTLE_NS = 150_000
"""How long before the clock thread has to be on time no callback is begun any more (ns): a short one takes that."""

_LEAST_NS = 100_000
"""What is too short to begin anything in (ns)."""

_CLOSED_NS = 5_000_000
"""How long callbacks are held back at most (ns): the clock thread may be in a reset by then that waits for one."""


class CallbackGate:
    """Open until a time that the clock thread tells, whenever it goes to wait, and again 5 ms later at the latest.

    Two threads of one interpreter cannot compute at the same time, so priorities do not help: a callback that runs when
    the clock thread wakes up makes it late, whatever the scheduler thinks of the two.
    """

    def __init__(self) -> None:
        self._until_ns: int | None = None
        self._waiting: deque[None] = deque()
        self._opened = Lock()  # taken while nobody is to be woken: who has to be on time waits for no lock of others
        self._opened.acquire()

    def open_until(self, until_ns: int | None) -> None:
        """Let callbacks begin until shortly before a time; from the clock thread, which is not held up.

        Args:
            until_ns: when it has to be on time next (ns, of the monotonic clock); None: callbacks begin at any time.
        """
        self._until_ns = None if until_ns is None else until_ns - _SETTLE_NS
        if self._waiting:  # who waits is counted before it looks at the time
            self._wake_one()

    def wait(self) -> float | None:
        """Wait until it is open; return for how long it is (s), None where that is not known."""
        while (left_ns := self._left_ns()) is not None and left_ns <= _LEAST_NS:
            self._waiting.append(None)
            left_ns = self._left_ns()
            if left_ns is not None and left_ns <= _LEAST_NS:
                self._opened.acquire(timeout=(_CLOSED_NS + left_ns) * 1e-9)
            self._waiting.pop()
            if self._waiting:
                self._wake_one()
        return None if left_ns is None else left_ns * 1e-9

    def _left_ns(self) -> int | None:
        """Return how long it is open (ns), less than 0 while it is closed, None where nothing closes it."""
        until_ns = self._until_ns
        left_ns = 0 if until_ns is None else until_ns - monotonic_ns()
        return None if until_ns is None or left_ns <= -_CLOSED_NS else left_ns

    def _wake_one(self) -> None:
        with suppress(RuntimeError):  # one is being woken already, and will wake the next
            self._opened.release()
