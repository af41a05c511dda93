"""The end of a truth log that is being written."""

from __future__ import annotations

import json
from pathlib import Path

from rtgym_ros.robots.truth_log import Values


class TruthTail:
    """What a robot has received since this was made; each look reads what is new.

    Args:
        path: of the log.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.read_bytes().rfind(b"\n") + 1  # a line may be half written
        self._received: list[tuple[int, Values]] = []

    def received(self) -> list[tuple[int, Values]]:
        """Return the commands so far: when they came (ns), and their values."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            whole = file.read().rpartition(b"\n")[0]
        if whole:
            self._offset += len(whole) + 1
            entries = map(json.loads, whole.split(b"\n"))
            self._received += [
                (entry["time"], tuple(map(float, entry["values"]))) for entry in entries if entry["event"] == "received"
            ]
        return self._received
