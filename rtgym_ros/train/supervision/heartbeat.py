"""A file that a process touches as long as it gets on with its work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def beat(path: Path) -> None:
    """Touch the file: the process is getting on. On a full disk a file that is there can be touched all the same."""
    with suppress(OSError):
        path.touch()


class HeartbeatWatch:
    """Tells for how long a file has not been touched.

    Only changes count, not the time that they claim: the wall clock of a robot may be set at any moment.

    Args:
        path: the file; it need not be there yet.
        now_s: from when on silence counts (s, on a clock that does not go back).
    """

    def __init__(self, path: Path, now_s: float) -> None:
        self._path = path
        self._stamp_ns = self._read()
        self._heard_s = now_s

    def silent_for(self, now_s: float) -> float:
        """Return how long ago a touch was last noticed (s): look often, it is not noticed in between."""
        stamp_ns = self._read()
        if stamp_ns != self._stamp_ns:
            self._stamp_ns, self._heard_s = stamp_ns, now_s
        return now_s - self._heard_s

    def _read(self) -> int | None:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return None


class HealthWatch:
    """Tells for how long a check has failed.

    Args:
        is_healthy: the check; it is called now and then and must return soon.
        now_s: from when on failing counts (s, on a clock that does not go back).
        grace_s: how much later failing counts, until the check has succeeded once: a start takes its time.
    """

    def __init__(self, is_healthy: Callable[[], bool], now_s: float, grace_s: float) -> None:
        self._is_healthy = is_healthy
        self._healthy_s = now_s + grace_s

    def silent_for(self, now_s: float) -> float:
        """Check, and return how long ago the last success was (s)."""
        if self._is_healthy():
            self._healthy_s = now_s
        return now_s - self._healthy_s


class FileWatch:
    """Tells whether files have changed, those in a folder that came or went among them.

    Args:
        paths: of files and folders.
    """

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self._paths = paths
        self._stamps = self._read()

    def has_changed(self) -> bool:
        """Return whether something is different from what it was at the last call."""
        stamps = self._read()
        changed, self._stamps = stamps != self._stamps, stamps
        return changed

    def _read(self) -> list[int]:
        return [path.stat().st_mtime_ns if path.exists() else 0 for path in self._paths]
