"""Keeps the order of two writes to shared memory as another processor sees them."""

from __future__ import annotations

import platform
from collections.abc import Callable
from threading import Lock


def _nothing() -> None:
    """x86 keeps the order of stores, and of loads, by itself."""


def _take_a_lock() -> None:
    # What is done before giving a lock back is seen before what is done after taking it again; so it takes two. A lock
    # of its own for each call: no thread waits for another.
    lock = Lock()
    for _ in range(2):
        lock.acquire()
        lock.release()


fence: Callable[[], None] = _nothing if platform.machine().lower() in ("x86_64", "amd64") else _take_a_lock
"""Reads and writes of shared memory before it come before those after it."""
