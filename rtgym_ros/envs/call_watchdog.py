"""A bound on how long a caller's own thread stays in the interface."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread, current_thread
from time import monotonic
from typing import Any

from rtgym_ros.envs.interruption import InterruptibleCall, prepare_main_thread
from rtgym_ros.envs.pending_capture import blocked

_LONGEST_PERIOD_S = 1.0
"""Between two looks (s)."""


class CallWatchdog:
    """Calls the interface in the caller's thread, and ends a call that lasts too long.

    A thread looks a few times a timeout; it is started with the first call.

    Args:
        timeout_s: how long a call may last (s); it is ended a quarter of that later at most.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._watched: tuple[InterruptibleCall, float] | None = None
        self._stop = Event()
        self._thread: Thread | None = None
        prepare_main_thread()

    def run(
        self,
        method: str,
        function: Callable[..., Any],
        *args: Any,
        timeout_s: float | None = None,
        before_s: float = 0.0,
    ) -> Any:
        """Return ``function(*args)``.

        Args:
            method: its name in the error.
            function: what is called.
            *args: with what.
            timeout_s: how long it may last (s), if not as long as the others.
            before_s: how long it waits for the clock first (s).

        Raises:
            InterfaceTimeoutError: it lasted too long and was interrupted.
        """
        if self._thread is None:
            self._thread = Thread(target=self._watch, name="rtgym_ros call watchdog", daemon=True)
            self._thread.start()
        timeout_s = self._timeout_s if timeout_s is None else min(timeout_s, self._timeout_s)
        call = InterruptibleCall()
        around = self._watched  # an interface may call its environment
        self._watched = call, monotonic() + before_s + timeout_s
        try:
            whole, answer = call.run(function, *args)
        finally:
            self._watched = around
        if not whole:
            raise blocked(method, timeout_s)
        return answer

    def close(self) -> bool:
        """End the thread; return whether it ended."""
        self._stop.set()
        if self._thread is None or self._thread is current_thread():
            return True  # a forgotten environment is collected in whichever thread: this one ends when it comes back
        self._thread.join(self._timeout_s)
        return not self._thread.is_alive()

    def _watch(self) -> None:
        while not self._stop.wait(min(self._timeout_s / 4, _LONGEST_PERIOD_S)):
            watched = self._watched
            if watched is not None and monotonic() > watched[1]:
                watched[0].interrupt()
