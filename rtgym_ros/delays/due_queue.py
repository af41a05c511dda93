"""Commands that carry the time at which they shall be applied: random delays become one constant delay.

The receiver holds each command until its time has come. One that comes later than that is applied at once, and counted:
the constant delay was chosen too short for it. (For agents, Lee et al., arXiv 2507.18992, show what it is good for.)
"""

from __future__ import annotations

from typing import Generic, TypeVar

Message = TypeVar("Message")


class DueQueue(Generic[Message]):
    """Holds commands until they are due; an older command is never applied after a newer one. Not thread-safe.

    Times are integers of the receiver's clock, in ns or in time-steps.

    Attributes:
        late: commands that came after they were due.
    """

    def __init__(self) -> None:
        self.late = 0
        self._newest = -(2**63)
        self._waiting: list[tuple[int, int, Message]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, now: int, stamp: int, due: int, message: Message) -> bool:
        """Hold a command that has come.

        Args:
            now: the time.
            stamp: of the command; newer ones replace older ones.
            due: when it shall be applied; ``now`` or earlier: at once.
            message: the command.

        Returns:
            False for one that is older than the one applied, which is dropped.
        """
        if stamp <= self._newest:
            return False
        self.late += due < now
        self._waiting.append((stamp, max(due, now), message))
        return True

    @property
    def next_due(self) -> int | None:
        """When the next command is due, None if none is held."""
        return min(due for _, due, _ in self._waiting) if self._waiting else None

    def take(self, now: int) -> tuple[int, Message] | None:
        """Return stamp and message of the newest command that is due by ``now``, None if none is; drop older ones."""
        due = [(stamp, message) for stamp, due, message in self._waiting if due <= now]
        if not due:
            return None
        taken = max(due, key=lambda entry: entry[0])
        self._newest = taken[0]
        self._waiting = [entry for entry in self._waiting if entry[0] > self._newest]
        return taken

    def clear(self) -> None:
        """Drop what is held; any stamp is accepted again."""
        self._newest = -(2**63)
        self._waiting.clear()
