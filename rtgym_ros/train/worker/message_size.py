"""How much one message holds: little on a slow line, much while samples wait and the server answers soon."""

from __future__ import annotations

FIRST_BYTES = 64_000
LARGEST_BYTES = 4_000_000
"""The server's ``max_payload`` may be less."""
QUICK_S = 1.0
"""A message grows no further where its answer takes longer (s): the server gets only so long to answer."""


class MessageSize:
    """Doubles with every full message that is answered soon, and begins anew with every connection.

    The server writes each message to its disk before it answers, and that takes hardly longer for a large one.

    Attributes:
        limit: what the next message may hold (bytes).
    """

    def __init__(self) -> None:
        self.limit = FIRST_BYTES

    def begin(self) -> None:
        """Note a new connection."""
        self.limit = FIRST_BYTES

    def answered(self, was_full: bool, seconds: float) -> None:
        """Note the answer to a message: whether more samples waited than it held, and how long it took (s)."""
        if was_full and seconds < QUICK_S:
            self.limit = min(2 * self.limit, LARGEST_BYTES)
