"""Warnings of time-steps: collected where they arise, given in the caller's thread, at most one a second of a kind."""

from __future__ import annotations

import logging
from collections import deque

from rtgym_ros.core.caller_warning import warn_caller
from rtgym_ros.core.time_source import NS_PER_S

_log = logging.getLogger(__name__)

_PERIOD_NS = NS_PER_S


class StepWarnings:
    """Collects warnings in the clock thread and gives them in the thread of the public call that comes next.

    A warning is never an error of a time-step: where warnings are errors (``python -W error``) it is logged.
    """

    def __init__(self) -> None:
        self._collected: deque[tuple[type[Warning], str]] = deque()
        self._held_back: dict[type[Warning], int] = {}
        self._given_ns: dict[type[Warning], int] = {}

    def add(self, category: type[Warning], message: str) -> None:
        """Collect a warning; from any thread."""
        self._collected.append((category, message))

    def give(self, now_ns: int) -> None:
        """Give what was collected; what comes too soon after another of its kind is only counted.

        Args:
            now_ns: a time that never goes back (ns).
        """
        while self._collected:
            category, message = self._collected.popleft()
            last_ns = self._given_ns.get(category)
            if last_ns is not None and now_ns - last_ns < _PERIOD_NS:
                self._held_back[category] = self._held_back.get(category, 0) + 1
                continue
            self._given_ns[category] = now_ns
            more = self._held_back.pop(category, 0)
            self._warn(f"{message} (and {more} more since the last warning)" if more else message, category)

    def _warn(self, message: str, category: type[Warning]) -> None:
        try:
            warn_caller(message, category)
        except Warning as error:  # warnings are errors in this program
            _log.warning("%s", error)
