"""The garbage collector: not while something has to be on time."""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import monotonic_ns

from rtgym_ros.realtime.users import Users

_FAR_BEYOND = 50
"""Thresholds: from so many on it is collected though nobody waits, so that memory cannot grow without bound."""

_SAFETY = 2
"""How much longer than the last one a collection is expected to take at most."""

_FEW = 5000
"""Objects: as many may be frozen though nobody did it. CPython 3.12 puts those there that live for ever."""

_freezers = Users()
_is_ours = False
"""Whether nothing was frozen before: what the program freezes itself stays."""

_collectors = Users()
_thresholds = _raised = (0, 0, 0)
"""Those of the program, and ours."""


def freeze() -> None:
    """Leave out of all later collections what is there now."""
    global _is_ours
    with _freezers:
        if not _freezers.number:
            _is_ours = gc.get_freeze_count() < _FEW
            gc.collect()
            gc.freeze()
        _freezers.number += 1


def unfreeze() -> None:
    """Take back one :func:`freeze`; with the last one everything is collected again."""
    with _freezers:
        _freezers.number -= 1
        if not _freezers.number and _is_ours:
            gc.unfreeze()


class SlackCollector:
    """Collects garbage while a thread would wait for the clock; at other times only when there is very much of it.

    Args:
        now_ns: reads the clock (ns).
    """

    def __init__(self, now_ns: Callable[[], int] = monotonic_ns) -> None:
        self._now_ns = now_ns
        self._took_ns: dict[int, int] = {}

    def open(self) -> None:
        """Let the interpreter wait for far more garbage, and see how long collections take."""
        global _thresholds, _raised
        with _collectors:
            if not _collectors.number:
                _thresholds = gc.get_threshold()
                gc.set_threshold(*(_FAR_BEYOND * threshold for threshold in _thresholds))
                _raised = gc.get_threshold()
            _collectors.number += 1
        for generation in range(3):
            self._collect(generation)

    def close(self) -> None:
        """Put the thresholds back if nobody else minds, and nobody has changed them."""
        with _collectors:
            _collectors.number -= 1
            if not _collectors.number and gc.get_threshold() == _raised:
                gc.set_threshold(*_thresholds)

    def use_slack(self, slack_ns: int) -> None:
        """Collect the oldest generation that is due and takes no longer than ``slack_ns``, if any."""
        counts = gc.get_count()
        if counts[0] <= _thresholds[0]:
            return  # older generations count the collections of the youngest
        for generation in (2, 1, 0):
            is_due = counts[generation] > _thresholds[generation]
            if is_due and _SAFETY * self._took_ns.get(generation, 0) <= slack_ns:
                self._collect(generation)
                return

    def _collect(self, generation: int) -> None:
        began_ns = self._now_ns()
        gc.collect(generation)
        self._took_ns[generation] = self._now_ns() - began_ns
