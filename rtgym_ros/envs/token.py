"""A right that exactly one thread gets, without a lock."""

from __future__ import annotations


class Token:
    """Lies there until somebody takes it; to take it is atomic, and cheaper than a lock.

    Args:
        is_there: whether it lies there at first.
    """

    __slots__ = ("_pile",)

    def __init__(self, is_there: bool = True) -> None:
        self._pile = [None] if is_there else []

    def take(self) -> bool:
        """Take it; return whether it was there, which it is for one caller only."""
        try:
            self._pile.pop()
        except IndexError:
            return False
        return True

    def put(self) -> None:
        """Put it there; it was taken before."""
        self._pile.append(None)

    @property
    def is_there(self) -> bool:
        """Whether nobody has taken it."""
        return bool(self._pile)
