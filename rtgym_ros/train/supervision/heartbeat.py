"""What tells that a process is getting on: a file that it touches."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def beat(path: Path) -> None:
    """Touch the file: the process is getting on. On a full disk a file that is there can be touched all the same."""
    with suppress(OSError):
        path.touch()


class FileWatch:
    """Tells whether files have changed, those in a folder that came or went among them.

    Only changes count, not the time that they claim: the wall clock of a robot may be set at any moment.

    Args:
        paths: of files and folders; they need not be there yet.
    """

    def __init__(self, *paths: Path) -> None:
        self._paths = paths
        self._stamps = [_stamp_ns(path) for path in paths]

    def has_changed(self) -> bool:
        """Return whether something is different from what it was at the last call."""
        before, self._stamps = self._stamps, [_stamp_ns(path) for path in self._paths]
        return before != self._stamps


def _stamp_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
