"""One line when the server is away for longer than a start takes, and one when it is back."""

from __future__ import annotations

import logging
from collections.abc import Callable

_PATIENCE_S = 10.0
_PAUSES_S = (0.1, 1.0)  # after the first failure, and at most; doubled in between (s)


class Outage:
    """Counts failures in a row, and decides what is logged and how long to pause.

    Args:
        log: gets the lines.
        now_s: a monotonic clock (s).
        patience_s: how long nothing is logged (s).
    """

    def __init__(self, log: logging.Logger, now_s: Callable[[], float], patience_s: float = _PATIENCE_S) -> None:
        self._log, self._now_s, self._patience_s = log, now_s, patience_s
        self._since_s: float | None = None
        self._is_logged, self._failures = False, 0

    def failed(self, line: str) -> float:
        """Note an attempt that failed, and why; return how long to pause before the next (s)."""
        if self._since_s is None:
            self._since_s = self._now_s()
        if not self._is_logged and self._now_s() - self._since_s >= self._patience_s:
            self._is_logged = True
            self._log.warning("%s; trying again", line)
        self._failures += 1
        return float(min(_PAUSES_S[0] * 2 ** min(self._failures - 1, 10), _PAUSES_S[1]))

    def worked(self) -> None:
        """Note an attempt that did not fail."""
        if self._is_logged:
            self._log.warning("the server answers again")
        self._since_s, self._is_logged, self._failures = None, False, 0
