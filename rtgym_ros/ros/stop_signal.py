"""SIGINT and SIGTERM as an event that a program waits for, so that it ends in its own order."""

from __future__ import annotations

import signal
from threading import Event
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignal:
    """While entered, SIGINT and SIGTERM set an event; afterwards they are ignored: the program is ending already.

    Only for the main thread, and for programs that end when the block does.
    """

    def __init__(self) -> None:
        self._event = Event()
        self.number: int | None = None
        """The first signal that came, None before."""

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
        self._event.set()

    def wait(self, timeout: float) -> bool:
        """Wait up to ``timeout`` (s); return whether it is time to stop."""
        return self._event.wait(timeout)

    def _on_signal(self, number: int, frame: FrameType | None) -> Any:
        self.number = self.number or number
        self._event.set()
