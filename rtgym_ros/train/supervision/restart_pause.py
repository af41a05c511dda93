"""How long to wait before a process is started again."""

from __future__ import annotations

FIRST_S = 0.5
LONGEST_S = 10.0
RESET_AFTER_S = 30.0
"""Of life: whoever lived that long did not die of how it was started."""


class RestartPause:
    """Doubles from :data:`FIRST_S` to the longest while a process keeps dying young.

    It reads no clock: the caller says what time it is (s, on a clock that does not go back).

    Args:
        longest_s: the longest pause (s).
    """

    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self._longest_s = longest_s
        self._next_s = FIRST_S
        self._started_s = 0.0

    def started(self, now_s: float) -> None:
        """Note that the process was started."""
        self._started_s = now_s

    def ended(self, now_s: float) -> float:
        """Note that it ended, and return when it is to be started again (s)."""
        if now_s - self._started_s >= RESET_AFTER_S:
            self._next_s = FIRST_S
        pause_s = self._next_s
        self._next_s = min(2 * pause_s, self._longest_s)
        return now_s + pause_s
