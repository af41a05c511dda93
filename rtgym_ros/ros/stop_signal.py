"""SIGINT and SIGTERM as something that a program waits for, so that it ends in its own order."""

from __future__ import annotations

import signal
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignal:
    """While entered, SIGINT and SIGTERM set it; afterwards they are ignored: the program is ending already.

    Only for the main thread, and for programs that end when the block does.
    """

    def __init__(self) -> None:
        # Not an Event: a handler that sets it while the same thread is about to wait for it would wait for ever.
        self._wake_up: SimpleQueue[None] = SimpleQueue()
        self._is_set = False

    def __enter__(self) -> StopSignal:
        """Install the handlers."""
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ignore what still comes: a launch file and a terminal both signal, and the second must not kill."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def set(self) -> None:
        """Stop as if a signal had come."""
        self._is_set = True
        self._wake_up.put(None)

    def wait(self, timeout: float) -> bool:
        """Wait up to ``timeout`` (s); return whether it is time to stop."""
        if not self._is_set:
            with suppress(Empty):
                self._wake_up.get(timeout=timeout)
        return self._is_set

    def _on_signal(self, number: int, frame: FrameType | None) -> Any:
        self.set()
