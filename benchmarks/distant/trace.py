"""What an environment writes down of every time-step, in memory that outlives a process that is killed."""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

import numpy as np

_RECORD = struct.Struct("<qqqqqqqq")
FIELDS = ("serial", "entered_ns", "returned_ns", "lateness_ns", "after_ns", "between_ns", "timed_out", "ended")
"""Number of the sample in this boot; when ``step()`` was called and when it came back; how late its time-step began;
from the capture, with which the waiting ends, to the return; from the return before to this call (policy, sample,
exchange); whether the time-step timed out; whether the episode ended. A ``reset()`` has -1 and 0 there."""
DTYPE = np.dtype([(name, "<i8") for name in FIELDS])
CAPACITY = 1_000_000
_NAME = "boot-{:04d}.trace"


class TraceWriter:
    """A file of its own for each boot of the control process, numbered from 0.

    Args:
        folder: of the files, in RAM: pages that are written back to a disk make their writer wait.
    """

    def __init__(self, folder: Path) -> None:
        number = len(list(folder.glob("*.trace")))
        descriptor = os.open(folder / _NAME.format(number), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.ftruncate(descriptor, 8 + CAPACITY * _RECORD.size)
        self._map = mmap.mmap(descriptor, 0)
        os.close(descriptor)
        self.boot = number
        self.count = 0

    def append(self, *values: int) -> None:
        """Write a record: everything behind the serial number, which is counted here."""
        _RECORD.pack_into(self._map, 8 + self.count * _RECORD.size, self.count, *values)
        self.count += 1
        self._map[:8] = self.count.to_bytes(8, "little")


def read_trace(path: Path) -> np.ndarray:
    """Return the records of a boot, shape (n,)."""
    with path.open("rb") as file:
        count = int.from_bytes(file.read(8), "little")
        return np.frombuffer(file.read(count * _RECORD.size), DTYPE)


def read_traces(folder: Path) -> list[np.ndarray]:
    """Return the records of all boots, in their order."""
    return [read_trace(path) for path in sorted(folder.glob("*.trace"))]
