"""What a call that is made in one thread came to, for another thread that waits for it."""

from __future__ import annotations

from threading import TIMEOUT_MAX, Lock
from typing import Any


class Outcome:
    """A :class:`~concurrent.futures.Future` that costs nothing where nobody has to wait: some are made every time-step.

    Attributes:
        done: whether the call has ended.
    """

    __slots__ = ("_error", "_sleepers", "_value", "done")

    def __init__(self) -> None:
        self._value: Any = None
        self._error: BaseException | None = None
        self._sleepers: list[Lock] = []
        self.done = False

    def succeed(self, value: Any) -> None:
        """Say what the call returned; once."""
        self._value = value
        self._end()

    def fail(self, error: BaseException) -> None:
        """Say what the call raised; once, and instead of :meth:`succeed`."""
        self._error = error
        self._end()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end of the call; return whether it came in time."""
        if not self.done:
            woken = Lock()
            woken.acquire()
            self._sleepers.append(woken)
            if not self.done:  # otherwise it may have ended before it could see this one sleep
                woken.acquire(timeout=min(timeout_s, TIMEOUT_MAX))
        return self.done

    def get(self) -> Any:
        """Return what the call returned, or raise what it raised, with its traceback; it has ended before."""
        if self._error is not None:
            raise self._error
        return self._value

    def _end(self) -> None:
        self.done = True
        while self._sleepers:
            self._sleepers.pop().release()
