"""Calls that come at a rate: heartbeats, and commands that are repeated."""

from __future__ import annotations

from collections.abc import Callable


class Periodic:
    """Calls a function on a grid of times; periods that were missed are left out, not made up for.

    Args:
        period: between two calls (s), above 0.
        call: the function.
    """

    def __init__(self, period: float, call: Callable[[], object]) -> None:
        self.period = period
        self._call = call
        self._next: float | None = None

    def run(self, now: float) -> None:
        """Call the function if it is due; the first time it is."""
        if self._next is not None and now < self._next:
            return
        due = now if self._next is None else self._next
        self._next = due + self.period if due + self.period > now else now + self.period
        self._call()

    def due(self, now: float) -> float:
        """Return when the function is due next (s)."""
        return now if self._next is None else self._next
