"""What a call that is made in one thread came to, for another thread that waits for it."""

from __future__ import annotations

from threading import TIMEOUT_MAX, Lock
from typing import Any


class Outcome:
    """A :class:`~concurrent.futures.Future` of one lock: some are made every time-step."""

    __slots__ = ("_error", "_ready", "_value", "done")

    def __init__(self) -> None:
        self._value: Any = None
        self._error: BaseException | None = None
        self._ready = Lock()
        self._ready.acquire()
        self.done = False
        """Whether the call has ended."""

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
        if not self.done and self._ready.acquire(timeout=min(timeout_s, TIMEOUT_MAX)):
            self._ready.release()  # for who waits next
        return self.done

    def get(self) -> Any:
        """Return what the call returned, or raise what it raised, with its traceback; it has ended before."""
        if self._error is not None:
            raise self._error
        return self._value

    def _end(self) -> None:
        self.done = True
        self._ready.release()
