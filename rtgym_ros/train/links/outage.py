"""One line when the server is away for longer than a start takes, and one when it is back."""

from __future__ import annotations

import logging
from collections.abc import Callable

_PATIENCE_S = 20.0
"""Ray takes some ten seconds to come up (s)."""


class Outage:
    """Hears of every attempt.

    Args:
        log: gets the lines.
        now_s: a monotonic clock (s).
        patience_s: how long nothing is said (s).
    """

    def __init__(self, log: logging.Logger, now_s: Callable[[], float], patience_s: float = _PATIENCE_S) -> None:
        self._log = log
        self._now_s = now_s
        self._patience_s = patience_s
        self._since_s: float | None = None
        self._is_said = False

    def failed(self, line: str) -> None:
        """Note an attempt that failed, and why."""
        if self._since_s is None:
            self._since_s = self._now_s()
        if not self._is_said and self._now_s() - self._since_s >= self._patience_s:
            self._is_said = True
            self._log.warning("%s; trying again", line)

    def worked(self) -> None:
        """Note an attempt that did not."""
        if self._is_said:
            self._log.warning("the server answers again")
        self._since_s, self._is_said = None, False
