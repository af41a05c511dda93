"""What tells that a process is getting on: a file that it touches, or a check."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def beat(path: Path) -> None:
    """Touch the file: the process is getting on. On a full disk a file that is there can be touched all the same."""
    with suppress(OSError):
        path.touch()


class FileWatch:
    """Tells whether files have changed, those in a folder that came or went among them; they need not be there yet.

    Only changes count, not the time that they claim: the wall clock of a robot may be set at any moment.
    """

    def __init__(self, *paths: Path) -> None:
        self._paths = paths
        self._stamps = [_stamp_ns(path) for path in paths]

    def has_changed(self) -> bool:
        """Return whether something is different from what it was at the last call."""
        before, self._stamps = self._stamps, [_stamp_ns(path) for path in self._paths]
        return before != self._stamps


class HealthWatch:
    """Tells for how long a check has failed.

    Args:
        is_healthy: the check; it is called now and then and must return soon.
        since_s: from when on failing counts, until the check has succeeded once (s, on a clock that does not go back).
    """

    def __init__(self, is_healthy: Callable[[], bool], since_s: float) -> None:
        self._is_healthy = is_healthy
        self._healthy_s = since_s

    def silent_for(self, now_s: float) -> float:
        """Check, and return how long ago the last success was (s): look often, it is not noticed in between."""
        if self._is_healthy():
            self._healthy_s = now_s
        return now_s - self._healthy_s


def _stamp_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
