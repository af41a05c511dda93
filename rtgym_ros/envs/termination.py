"""SIGTERM ends a program in order, so that its robots are stopped; Python's default ends it at once."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import NoReturn


def end_on_sigterm() -> None:
    """Let SIGTERM raise SystemExit(143) in the main thread, unless the program or a library handles it already.

    Called when an environment is made; outside the main thread, where Python sets no handlers, it does nothing. The
    robot is stopped by what runs when a Python program ends (:mod:`weakref`'s finalizers).
    """
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL and not _is_caught_outside_python(signal.SIGTERM):
        signal.signal(signal.SIGTERM, _end)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # a second one must not interrupt the end
    raise SystemExit(128 + number)


def _is_caught_outside_python(number: int) -> bool:
    """Whether C code has set a handler that Python does not know of, as rclpy does (proc(5): SigCgt)."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) >> (number - 1) & 1)
