"""How long things take: running averages or whole traces of the environment's own durations."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtgym_ros.core.time_source import to_s

DURATIONS = (
    "time_step_duration",
    "step_duration",
    "join_duration",
    "inference_duration",
    "send_control_duration",
    "get_obs_duration",
)
"""Real-Time Gym's names: from send to send; inside step(); of that, waiting for the time-step; between two calls of
step(); inside send_control(); inside get_obs_rew_terminated_info()."""


class NullBenchmark:
    """Records nothing: the collaborator of an environment that is not benchmarked."""

    def record(self, name: str, duration_ns: int) -> None:
        """Ignore a duration (ns)."""

    def summary(self) -> dict[str, Any]:
        """Return an empty dictionary."""
        return {}


class PolyakBenchmark(NullBenchmark):
    """Running averages, as Real-Time Gym keeps them.

    Args:
        factor: weight of the newest value, in (0, 1].
    """

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._averages: dict[str, tuple[float, float]] = {}

    def record(self, name: str, duration_ns: int) -> None:
        """Take a duration (ns) into the averages of ``name``; the first is the mean itself."""
        value = to_s(duration_ns)
        if name not in self._averages:
            self._averages[name] = (value, 0.0)
            return
        mean, deviation = self._averages[name]
        delta = value - mean
        # One assignment of an immutable pair: a reader in another thread never sees half of it.
        self._averages[name] = (mean + self._factor * delta, deviation + self._factor * (abs(delta) - deviation))

    def summary(self) -> dict[str, Any]:
        """Return ``{name: (mean, mean deviation)}`` in seconds; the mean is None before the first value."""
        return {name: self._averages.get(name, (None, 0.0)) for name in DURATIONS}


class TraceBenchmark(NullBenchmark):
    """Every duration, in the order in which they came."""

    def __init__(self) -> None:
        self._traces: dict[str, list[int]] = {name: [] for name in DURATIONS}

    def record(self, name: str, duration_ns: int) -> None:
        """Append a duration (ns)."""
        self._traces[name].append(duration_ns)

    def summary(self) -> dict[str, Any]:
        """Return ``{"deltas": {name: float64 array of seconds}}``."""
        return {"deltas": {name: np.array(trace, dtype=np.float64) / 1e9 for name, trace in self._traces.items()}}


def make_benchmark(enabled: bool, kind: str, factor: float) -> NullBenchmark:
    """Return the collaborator that a configuration asks for; ``kind`` is ``"polyak"`` or ``"trace"``, in any case."""
    if not enabled:
        return NullBenchmark()
    return PolyakBenchmark(factor) if kind.lower() == "polyak" else TraceBenchmark()
