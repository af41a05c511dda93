"""A simulated worker: ``python -m benchmarks.distant.filler FOLDER CAPACITY RATE COUNT`` writes samples into a ring.

It stands for the control process where only the way of the samples is measured. RATE is in samples a second, 0 for as
many as are fetched; COUNT is how many, 0 for no end. Nothing is overwritten: it waits for room, and says so.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import monotonic

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.train.protocol.schema import make_schema
from rtgym_ros.train.worker.ring_folder import RingFolder
from rtgym_ros.train.worker.sample_ring import RingReader

EPISODE = 100
"""Time-steps of an episode."""
_CHUNK = 50
_SPACES = spaces.Tuple([spaces.Box(-1, 1, (1,), np.float32)] * 4 + [spaces.Box(-2, 2, (2,), np.float32)] * 4)
SCHEMA = make_schema(_SPACES, spaces.Box(-2, 2, (2,), np.float32))
"""Of the tutorial's drone with its action buffer."""


def main(folder: Path, capacity: int, rate: float, count: int) -> int:
    """Write until SIGTERM, or to the end; print how many were written."""
    rings = RingFolder(folder)
    with StopSignal() as stop:
        ring = rings.create(SCHEMA, capacity)
        reader = RingReader.open(rings.paths()[-1])  # to see how far the link process is
        began, waited = monotonic(), 0
        while not stop.is_set and not (count and ring.written >= count):
            due = _CHUNK if rate == 0 else int((monotonic() - began) * rate) - ring.written
            room = capacity - (ring.written - reader.acknowledged)
            if room < min(due, _CHUNK) or due <= 0:
                waited += due > 0
                stop.wait(0.001 if rate == 0 else 0.01)
                continue
            for _ in range(min(due, room)):
                append(ring)
        print(json.dumps({"written": ring.written, "seconds": monotonic() - began, "waits": waited}), flush=True)
        ring.close()
        reader.close()
    return 0


def append(ring) -> None:
    # The number of the sample in place of its stamp: it is checked at the other end.
    number = ring.written
    episode, step = divmod(number, EPISODE + 1)
    x = (number % 1000) / 1000
    values = (episode, step, False, step == EPISODE, False, False, False, -1, number, 0, -x, -x * step)
    ring.append((*values, (x, -x), (x, -x), (x,), (-x,), (x,), (-x,), (x, x), (x, x), (x, x), (x, x)))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
