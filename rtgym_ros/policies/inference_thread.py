"""A thread for what takes longer than a time-step."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
from threading import Thread
from typing import Any

from rtgym_ros.core.errors import InterfaceTimeoutError

_JOIN_S = 5.0
"""How long the end waits for an inference that is running (s)."""


class InferenceThread:
    """Computes one thing at a time; whoever asks looks for the answer, or waits for it with a bound.

    Args:
        compute: called in the thread.
        patience: how long :meth:`wait` waits (s).
    """

    def __init__(self, compute: Callable[[Any], Any], patience: float = 10.0) -> None:
        self._compute, self._patience = compute, patience
        self._work: SimpleQueue[tuple[Any, Future[Any]] | None] = SimpleQueue()
        self._answer: Future[Any] | None = None
        # A daemon: an inference that never returns must not keep the program from ending.
        self._thread = Thread(target=self._run, name="rtgym_ros inference", daemon=True)
        self._thread.start()

    @property
    def is_busy(self) -> bool:
        """Whether something was submitted whose answer was not taken."""
        return self._answer is not None

    @property
    def is_done(self) -> bool:
        """Whether :meth:`wait` would return, or raise, at once."""
        return self._answer is not None and self._answer.done()

    def submit(self, value: Any) -> None:
        """Have ``value`` computed; only when not busy."""
        self._answer = Future()
        self._work.put((value, self._answer))

    def wait(self) -> Any:
        """Return the answer to what was submitted.

        Raises:
            InterfaceTimeoutError: it does not come; the thread stays busy.
            Exception: what the computation raised.
        """
        return self._take().result()

    def discard(self) -> None:
        """Wait for what is being computed, and forget it, an error of it too.

        Raises:
            InterfaceTimeoutError: it does not end.
        """
        if self._answer is None:
            return
        self._answer.cancel()  # where it has not begun
        self._take()

    def _take(self) -> Future[Any]:
        assert self._answer is not None
        wait([self._answer], self._patience)
        if not self._answer.done():
            raise InterfaceTimeoutError(f"the policy has not answered for {self._patience:g} s")
        answer, self._answer = self._answer, None
        return answer

    def close(self) -> None:
        """End the thread; one whose computation goes on for 5 s is left behind."""
        if self._answer is not None:
            self._answer.cancel()
        self._work.put(None)
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            value, answer = work
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                answer.set_result(self._compute(value))
            except BaseException as error:
                answer.set_exception(error)
