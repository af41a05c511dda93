"""SIGINT and SIGTERM as something that a program waits for, so that it ends in its own order."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from threading import Thread
from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignal:
    """While entered, SIGINT and SIGTERM set it; afterwards they are ignored: the program is ending already.

    Only for the main thread, and for programs that end when the block does.

    Args:
        patience_s: the end may take this long (s), then the system ends the process, wherever it hangs (SIGALRM);
            0 for ever.
    """

    def __init__(self, patience_s: float = 0.0) -> None:
        self._patience_s = patience_s
        self._read_fd = self._write_fd = -1
        self._is_set = False

    def __enter__(self) -> StopSignal:
        """Install the handlers."""
        self._read_fd, self._write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # The interpreter writes there from the signal handler itself: a signal that comes just before the system call
        # that waits would be lost otherwise.
        self.install()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ignore what still comes: a launch file and a terminal both signal, and the second must not kill."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        os.close(self._read_fd)
        os.close(self._write_fd)

    def install(self) -> None:
        """Take the handlers back from a library that has taken them (``ray.init`` does)."""
        signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)

    @property
    def is_set(self) -> bool:
        """Whether it is time to stop."""
        return self._is_set

    def fileno(self) -> int:
        """Return what becomes readable with a signal; :meth:`clear_wake_up` makes it wait for the next one."""
        return self._read_fd

    def clear_wake_up(self) -> None:
        """Forget what made it readable, and not that it is set."""
        with suppress(BlockingIOError):
            while os.read(self._read_fd, 512):
                pass

    def set(self) -> None:
        """Stop as if a signal had come; from any thread."""
        self._is_set = True
        os.write(self._write_fd, b"\0")

    def set_at_end_of_input(self) -> None:
        """Stop when standard input closes, as it does when the process that started this one ends."""

        def read() -> None:
            while os.read(0, 4096):  # not sys.stdin: its lock would be held when the interpreter ends
                pass
            self.set()

        Thread(target=read, daemon=True).start()

    def wait(self, timeout_s: float) -> bool:
        """Wait up to ``timeout_s``; return whether it is time to stop."""
        if not self._is_set:
            select.select([self._read_fd], [], [], max(timeout_s, 0.0))  # not poll(): it counts in milliseconds
            self.clear_wake_up()
        return self._is_set

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._is_set and self._patience_s > 0:
            signal.setitimer(signal.ITIMER_REAL, self._patience_s)
        self._is_set = True
