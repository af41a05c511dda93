"""A bound on how long a caller's own thread stays in the interface."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread, current_thread
from time import monotonic
from typing import Any

from rtgym_ros.core.time_source import MonotonicTimeSource, TimeSource
from rtgym_ros.envs.interruption import InterruptibleCall, prepare_main_thread
from rtgym_ros.envs.pending_capture import blocked

_LONGEST_PERIOD_S = 0.5
"""Between two looks (s)."""

_LOOKS = 8
"""A timeout: a call is ended up to two looks later."""

_Watched = tuple[InterruptibleCall, str, float, "int | None"]
"""What is watched: the call, the method that it is in, how long that may last (s), and when it begins (ns)."""


class CallWatchdog:
    """Calls the interface in the caller's thread, and ends a call that lasts too long.

    A thread looks a few times a timeout whether the call is still where it was; it is started with the first one. So
    the caller never has to read a clock.

    Args:
        timeout_s: how long a call may last (s); it is ended a quarter of that later at most.

    Attributes:
        time_source: the clock that calls wait for.
    """

    def __init__(self, timeout_s: float) -> None:
        self.time_source: TimeSource = MonotonicTimeSource()
        self._timeout_s = timeout_s
        self._watched: _Watched | None = None
        self._stop = Event()
        self._thread: Thread | None = None
        prepare_main_thread()

    def run(
        self,
        method: str,
        function: Callable[..., Any],
        *args: Any,
        timeout_s: float | None = None,
        due_ns: int | None = None,
    ) -> Any:
        """Return ``function(*args)``.

        Args:
            method: its name in the error.
            function: what is called.
            *args: with what.
            timeout_s: how long it may last (s), if not as long as the others.
            due_ns: until when it waits for the clock first (ns).

        Raises:
            InterfaceTimeoutError: it lasted too long and was interrupted.
        """
        if self._thread is None:
            self._thread = Thread(target=self._watch, name="rtgym_ros call watchdog", daemon=True)
            self._thread.start()
        timeout_s = self._timeout_s if timeout_s is None else min(timeout_s, self._timeout_s)
        call = InterruptibleCall()
        around = self._watched  # an interface may call its environment
        self._watched = watched = (call, method, timeout_s, due_ns)
        try:
            whole, answer = call.run(function, *args)
            if not whole:
                _, method, timeout_s, _ = self._watched or watched
                raise blocked(method, timeout_s)
        finally:
            self._watched = around
        return answer

    def go_on_to(self, method: str, due_ns: int | None = None) -> None:
        """Say that the running call is in another method from here on, or waits until ``due_ns`` and then is."""
        if self._watched is not None:
            self._watched = (self._watched[0], method, self._timeout_s, due_ns)

    def close(self) -> bool:
        """End the thread; return whether it ended."""
        self._stop.set()
        if self._thread is None or self._thread is current_thread():
            return True  # a forgotten environment is collected in whichever thread: this one ends when it comes back
        self._thread.join(self._timeout_s)
        return not self._thread.is_alive()

    def _watch(self) -> None:
        seen: _Watched | None = None
        since_s = 0.0
        while not self._stop.wait(min(self._timeout_s / _LOOKS, _LONGEST_PERIOD_S)):
            watched, now_s = self._watched, monotonic()
            if watched is None:
                continue
            call, _, timeout_s, due_ns = watched
            if watched is not seen or (due_ns is not None and self.time_source.now_ns() < due_ns):
                seen, since_s = watched, now_s
            elif now_s - since_s > timeout_s:
                call.interrupt()
