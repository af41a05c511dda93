"""Hands items from any thread to one that waits for them with a bound."""

from __future__ import annotations

from collections import deque
from queue import Empty
from threading import TIMEOUT_MAX, Lock
from time import monotonic
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Inbox(Generic[Item]):
    """A queue with one reader.

    Before Python 3.13, ``queue.SimpleQueue.get(timeout=...)`` can wait for ever: it takes the queue's lock, computes
    what is left of the timeout, and where that has passed meanwhile the negative rest means "no timeout" (one call in
    thousands with a timeout of a microsecond; any, where the thread loses its core in between). What waits here drives
    a robot.
    """

    __slots__ = ("_come", "_items")

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._come = Lock()
        self._come.acquire()

    def put(self, item: Item) -> None:
        """Append ``item``; from any thread."""
        self._items.append(item)
        try:  # noqa: SIM105 (contextlib.suppress costs more, once an action)
            self._come.release()
        except RuntimeError:  # the reader has not noticed the item before this one yet
            pass

    def get(self, timeout: float | None = None) -> Item:
        """Take the oldest item; from the reader's thread.

        Args:
            timeout: the longest to wait for one (s), None for ever.

        Raises:
            queue.Empty: none has come.
        """
        items = self._items
        if items:
            return items.popleft()
        if timeout is None:
            while not items:
                self._come.acquire()
            return items.popleft()
        end = monotonic() + timeout
        while self._come.acquire(timeout=min(max(timeout, 0.0), TIMEOUT_MAX)):
            if items:
                return items.popleft()
            timeout = end - monotonic()  # it was told of an item that it had taken already
        raise Empty
