"""A call that another thread may end: what keeps an interface that blocks for ever from blocking its caller too.

CPython can raise an exception in another thread as soon as that thread runs Python code: PyThreadState_SetAsyncExc().
One that waits outside of Python, in a lock, a socket or a sleep, has to come back first; in the main thread, and there
alone, a signal makes it. So a call that blocks is ended wherever it waits in the main thread, and in another thread as
soon as it executes Python code: between two rounds of a loop, say.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from rtgym_ros.envs.token import Token

_WAKE_UP = signal.SIGURG
"""Ignored unless a program asks for it, so it does no harm where it is lost."""

_SPINS_WHEN_TRACED = sys.version_info[:2] == (3, 11)
"""In CPython 3.11 a thread that is traced (a debugger, coverage) waits, spinning, until another one has taken note of
its exception. One that waits outside of Python, and cannot be woken, never does, and is better left alone."""

_raise_in_thread = ctypes.pythonapi.PyThreadState_SetAsyncExc
_raise_in_thread.argtypes = (ctypes.c_ulong, ctypes.py_object)


class Interrupted(BaseException):
    """Raised inside a blocked call; it never leaves :meth:`InterruptibleCall.run`."""


class InterruptibleCall:
    """One call that may be interrupted from another thread: while it runs, and never after it has ended."""

    __slots__ = ("_ended", "_interrupted", "_thread_id", "_whole")

    _lock = threading.Lock()  # of all of them: it is needed when a call is interrupted, and that is rare

    def __init__(self) -> None:
        self._whole = Token()  # who takes it, the call or the interrupt, decides how the call ended
        self._thread_id: int | None = None
        self._interrupted = False
        self._ended = False

    def run(self, function: Callable[..., Any], *args: Any) -> tuple[bool, Any]:
        """Call ``function``; return whether it came to its end before it was interrupted, and what it returned."""
        self._thread_id = threading.get_ident()
        try:
            try:
                answer = function(*args)
            except Interrupted:
                pass
            except BaseException:
                if self._whole.take():
                    raise
            else:
                if self._whole.take():
                    return True, answer
        except Interrupted:  # it came a moment after the end
            pass
        self._settle()
        return False, None

    def interrupt(self) -> None:
        """Raise :class:`Interrupted` in the call if it still runs; to be repeated, since it can be swallowed there."""
        thread_id = self._thread_id
        if thread_id is None:
            return
        wakes = thread_id == threading.main_thread().ident and signal.getsignal(_WAKE_UP) is _on_wake_up
        if not wakes and _SPINS_WHEN_TRACED and sys.gettrace() is not None:
            return
        with self._lock:
            self._interrupted = self._interrupted or self._whole.take()
            if self._interrupted and not self._ended:
                # The one directly after the other: when traced, CPython 3.11 does not come further than this before
                # the other thread has taken note.
                _raise_in_thread(thread_id, Interrupted)
                if wakes:
                    signal.pthread_kill(thread_id, _WAKE_UP)

    def _settle(self) -> None:
        """See to it that no interrupt is under way any more."""
        # contextlib.suppress() would not do: it is Python code itself, in which an interrupt can come out.
        while not self._ended:
            try:
                with self._lock:
                    self._ended = True
            except Interrupted:
                pass
        # None is sent from here on, and one that was sent before comes out where Python code runs, so here. (It could
        # be taken back, but CPython up to 3.11 would then look for it at every instruction, for ever.)
        try:  # noqa: SIM105
            _run_python_code()
        except Interrupted:
            pass


def prepare_main_thread() -> None:
    """Let the main thread be woken where it waits outside of Python; to be called in it, elsewhere it does nothing.

    It takes the signal SIGURG, which is ignored otherwise, unless the program uses it itself.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(_WAKE_UP) in (signal.SIG_DFL, signal.SIG_IGN):
        signal.signal(_WAKE_UP, _on_wake_up)


def _on_wake_up(_number: int, _frame: Any) -> None:
    """Do nothing: being Python code is enough for the interrupt to be raised here."""


def _run_python_code() -> None:
    for _ in range(2):
        pass
