"""A radio link: every message takes a random time of its own, so messages overtake each other."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

import numpy as np

from rtgym_ros.core.time_source import to_ns

Message = TypeVar("Message")


class DelayLine(Generic[Message]):
    """Messages under way, in the order of their arrival; times in ns on the caller's clock.

    Args:
        delay_min: shortest delay (s).
        delay_max: longest delay (s); delays are uniform between the two.
        rng: where they are drawn from.
    """

    def __init__(self, delay_min: float, delay_max: float, rng: np.random.Generator) -> None:
        self._delay_min = delay_min
        self._delay_max = delay_max
        self._rng = rng
        self._under_way: list[tuple[int, int, Message]] = []
        self._sent = 0

    def send(self, now_ns: int, message: Message) -> None:
        """Send ``message`` at ``now_ns``."""
        arrival_ns = now_ns + to_ns(self._rng.uniform(self._delay_min, self._delay_max))
        heapq.heappush(self._under_way, (arrival_ns, self._sent, message))  # the count settles ties
        self._sent += 1

    @property
    def next_arrival_ns(self) -> int | None:
        """When the next message arrives (ns), None if none is under way."""
        return self._under_way[0][0] if self._under_way else None

    def arrivals(self, now_ns: int) -> Iterator[Message]:
        """Yield and forget the messages that have arrived by ``now_ns``, in the order of their arrival."""
        while self._under_way and self._under_way[0][0] <= now_ns:
            yield heapq.heappop(self._under_way)[2]


class Newest(Generic[Message]):
    """Keeps the message with the newest stamp and drops what is older: links reorder.

    Args:
        stamp_ns: the stamp of ``message`` (ns).
        message: what to hold at first.
    """

    def __init__(self, stamp_ns: int, message: Message) -> None:
        self.stamp_ns = stamp_ns
        self.message = message

    def offer(self, stamp_ns: int, message: Message) -> bool:
        """Take ``message`` if it is newer than the one held; return whether it was."""
        if stamp_ns <= self.stamp_ns:
            return False
        self.stamp_ns = stamp_ns
        self.message = message
        return True
