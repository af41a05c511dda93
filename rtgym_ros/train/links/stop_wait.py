"""SIGINT and SIGTERM for processes that are attached to Ray, which puts handlers of its own in their place."""

from __future__ import annotations

import signal
from types import TracebackType

_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})


class StopWait:
    """While entered, the two signals are held back from every thread that starts, and :meth:`wait` fetches them.

    Args:
        patience_s: the end may take this long (s), then the system ends the process, wherever it hangs (SIGALRM).
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._is_set = False

    def __enter__(self) -> StopWait:
        """Hold them back; before any thread is started."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave them held back: the program is ending already."""

    def wait(self, timeout_s: float) -> bool:
        """Wait up to ``timeout_s``; return whether it is time to stop."""
        if not self._is_set and signal.sigtimedwait(_SIGNALS, timeout_s) is not None:
            self._is_set = True
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, self._patience_s)
        return self._is_set
