"""The garbage collector: not while something has to be on time."""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import monotonic_ns

from rtgym_ros.realtime.users import Users

_freezers = Users()
_collectors = Users()
_was_enabled = True

_FAR_BEYOND = 50
"""Thresholds: from so many on it is collected though there is no time, so that memory cannot grow without bound."""

_SAFETY = 2
"""How much longer than the last one a collection is expected to take at most."""


def freeze() -> None:
    """Leave out of all later collections what is there now."""
    with _freezers:
        if not _freezers.number:
            gc.collect()
            gc.freeze()
        _freezers.number += 1


def unfreeze() -> None:
    """Take back one :func:`freeze`; with the last one everything is collected again."""
    with _freezers:
        _freezers.number -= 1
        if not _freezers.number:
            gc.unfreeze()


class SlackCollector:
    """Collects garbage while a thread would wait for the clock, and at no other time.

    Args:
        now_ns: reads the clock (ns).
    """

    def __init__(self, now_ns: Callable[[], int] = monotonic_ns) -> None:
        self._now_ns = now_ns
        self._took_ns: dict[int, int] = {}

    def open(self) -> None:
        """Stop the collections that come by themselves, after one that shows how long they take."""
        global _was_enabled
        with _collectors:
            if not _collectors.number:
                _was_enabled = gc.isenabled()
                gc.disable()
            _collectors.number += 1
        for generation in range(3):
            self._collect(generation)

    def close(self) -> None:
        """Let them come by themselves again, if nobody else minds."""
        with _collectors:
            _collectors.number -= 1
            if not _collectors.number and _was_enabled:
                gc.enable()

    def use_slack(self, slack_ns: int) -> None:
        """Collect the oldest generation that is due and takes no longer than ``slack_ns``, if any."""
        counts, thresholds = gc.get_count(), gc.get_threshold()
        if counts[0] <= thresholds[0]:
            return  # older generations count the collections of the youngest
        for generation in (2, 1, 0):
            count, threshold = counts[generation], thresholds[generation]
            has_time = _SAFETY * self._took_ns.get(generation, 0) <= slack_ns
            if count > threshold and (has_time or count > _FAR_BEYOND * max(threshold, 1)):
                self._collect(generation)
                return

    def _collect(self, generation: int) -> None:
        began_ns = self._now_ns()
        gc.collect(generation)
        self._took_ns[generation] = self._now_ns() - began_ns
