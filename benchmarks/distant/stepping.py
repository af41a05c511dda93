"""What the traces tell of time."""

from __future__ import annotations

import numpy as np

WARM_UP = 20
"""Time-steps of a boot that do not count: modules are imported, caches filled."""
HELD_UP_NS = 5_000_000
AT_THE_SAME_TIME_NS = 250_000_000


def steps_of(records: np.ndarray) -> np.ndarray:
    """Return the time-steps of a boot, without its warm-up and without resets."""
    records = records[WARM_UP:]
    return records[records["lateness_ns"] >= 0]


def timing(steps: np.ndarray) -> dict[str, float]:
    """Return the figures of time-steps (ms)."""
    if not len(steps):
        return {"steps": 0}
    own = (steps["after_ns"] + steps["between_ns"]) / 1e6
    late = steps["lateness_ns"] / 1e6
    return {
        "steps": len(steps),
        "lateness p50": float(np.percentile(late, 50)),
        "lateness p99": float(np.percentile(late, 99)),
        "lateness max": float(late.max()),
        "own work p50": float(np.percentile(own, 50)),
        "own work p99": float(np.percentile(own, 99)),
        "own work max": float(own.max()),
        "timeouts": int(steps["timed_out"].sum()),
    }


def within(steps: np.ndarray, spans: list[tuple[float, float]]) -> np.ndarray:
    """Return the time-steps that ended within one of the spans (s, monotonic)."""
    ended = steps["returned_ns"] / 1e9
    return steps[np.any([(begin <= ended) & (ended < end) for begin, end in spans] or [np.zeros(len(steps), bool)], 0)]


def timeouts_alone(steps: np.ndarray, others: np.ndarray) -> int:
    """Return how many time-steps timed out while the other process, at the same time, was not held up itself."""
    held_up = others["returned_ns"][others["lateness_ns"] > HELD_UP_NS]
    timed_out = steps["returned_ns"][steps["timed_out"] == 1]
    return sum(not np.any(np.abs(held_up - at) < AT_THE_SAME_TIME_NS) for at in timed_out)
