"""A link whose messages each take a time of their own, so that they overtake each other, and may be lost."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import numpy as np

Message = TypeVar("Message")
DrawDelay = Callable[[], "int | None"]
"""Returns the delay (ns) of one message, or None: it is lost."""


def lossy(draw_delay: Callable[[], int], loss_probability: float, rng: np.random.Generator) -> DrawDelay:
    """Return what draws delays, and losses among them.

    Args:
        draw_delay: of the messages that are not lost (ns).
        loss_probability: of each message, in [0, 1]; 0 draws nothing.
        rng: where losses are drawn from.
    """
    if not loss_probability:
        return draw_delay
    return lambda: None if rng.random() < loss_probability else draw_delay()


class DelayLine(Generic[Message]):
    """Messages under way, in the order of their arrival; times in ns on the caller's clock.

    Args:
        draw_delay: called once a message.
    """

    def __init__(self, draw_delay: DrawDelay) -> None:
        self._draw_delay = draw_delay
        self._under_way: list[tuple[int, int, Message]] = []
        self._sent = 0

    def send(self, now_ns: int, message: Message) -> None:
        """Send ``message`` at ``now_ns``."""
        delay_ns = self._draw_delay()
        if delay_ns is not None:
            heapq.heappush(self._under_way, (now_ns + delay_ns, self._sent, message))  # the count settles ties
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
