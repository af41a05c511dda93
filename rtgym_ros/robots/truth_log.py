"""What really happened to a simulated robot, as JSON lines: the reference for tests of safety and of delays.

One object a line; times are integer ns of the robot's clock, values are in the units of the robot's commands::

    {"event": "received", "time": ..., "stamp": ..., "values": [...]}   a command came to the robot's node
    {"event": "applied", "time": ..., "stamp": ..., "values": [...]}    the robot begins to apply it; null: none
    {"event": "dropped", "time": ..., "stamp": ..., "reason": ...}      it will never be applied
    {"event": "sample", "time": ..., "stamp": ..., "state": [...]}      a sample, taken under the command of that stamp

Between ``received`` and ``applied`` lies the simulated delay of the command's link. A value that is not finite is
written as text (``"nan"``, ``"inf"``, ``"-inf"``), which JSON has no numbers for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtgym_ros.core.errors import ConfigError

Values = tuple[float, ...]


@dataclass(frozen=True)
class TruthEvent:
    """One line of a truth log.

    Attributes:
        event: ``received``, ``applied``, ``dropped`` or ``sample``.
        time_ns: when it happened, in the robot's clock (ns); of a received command its arrival.
        stamp_ns: of the command (ns); None where the robot applies none.
        values: of the command, or the robot's state at a sample; empty where there are none.
        reason: why a command was dropped; empty for other events.
    """

    event: str
    time_ns: int
    stamp_ns: int | None
    values: Values = ()
    reason: str = ""


class TruthSink:
    """Takes note of what happens to a robot; this one forgets it."""

    def received(self, time_ns: int, stamp_ns: int, values: Values) -> None:
        """A command arrived at the robot's end of the ROS network."""

    def applied(self, time_ns: int, stamp_ns: int | None, values: Values | None) -> None:
        """The robot applies another command from now on, or none."""

    def dropped(self, time_ns: int, stamp_ns: int, reason: str) -> None:
        """A command will never be applied."""

    def sample(self, time_ns: int, stamp_ns: int | None, state: Values) -> None:
        """The robot took a sample of itself under the command of ``stamp_ns``."""

    def close(self) -> None:
        """End; a second call does nothing."""


class TruthLog(TruthSink):
    """Appends to a file, each line with one write of its own: what ends this or any other process loses none of them.

    Args:
        path: the file; made if it is not there, continued if it is.

    Raises:
        ConfigError: it cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            self._file = Path(path).open("ab", buffering=0)  # noqa: SIM115 (until close())
        except OSError as error:
            raise ConfigError(f"truth log {str(path)!r} cannot be written: {error.strerror}") from error

    def received(self, time_ns: int, stamp_ns: int, values: Values) -> None:
        """Write ``received``."""
        self._write(event="received", time=time_ns, stamp=stamp_ns, values=_to_json(values))

    def applied(self, time_ns: int, stamp_ns: int | None, values: Values | None) -> None:
        """Write ``applied``."""
        self._write(event="applied", time=time_ns, stamp=stamp_ns, values=None if values is None else _to_json(values))

    def dropped(self, time_ns: int, stamp_ns: int, reason: str) -> None:
        """Write ``dropped``."""
        self._write(event="dropped", time=time_ns, stamp=stamp_ns, reason=reason)

    def sample(self, time_ns: int, stamp_ns: int | None, state: Values) -> None:
        """Write ``sample``."""
        self._write(event="sample", time=time_ns, stamp=stamp_ns, state=_to_json(state))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, **entries: Any) -> None:
        self._file.write(json.dumps(entries, separators=(",", ":")).encode() + b"\n")


def read_truth_log(path: str | Path) -> Iterator[TruthEvent]:
    """Yield the events of a log in the order in which they were written, of a log that is being written too.

    Args:
        path: the file. A last line without its end is being written, or was cut off, and is left out.

    Raises:
        ValueError: a line is not of a truth log; it names file and line.
    """
    for number, line in enumerate(Path(path).read_bytes().split(b"\n")[:-1], start=1):
        try:
            entry = json.loads(line)
            values = entry.get("state") if entry["event"] == "sample" else entry.get("values")
            yield TruthEvent(
                str(entry["event"]),
                int(entry["time"]),
                None if entry["stamp"] is None else int(entry["stamp"]),
                tuple(map(float, values or ())),
                entry.get("reason", ""),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}:{number}: not a line of a truth log: {line[:80]!r}") from error


def _to_json(values: Sequence[float]) -> list[float | str]:
    return [value if math.isfinite(value) else str(value) for value in map(float, values)]
