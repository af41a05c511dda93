"""A file that a process touches as long as it gets on with its work."""

from __future__ import annotations

from pathlib import Path


def beat(path: Path) -> None:
    """Touch the file: the process is getting on."""
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
