"""How long things take: running averages or whole traces of the environment's own durations, and their statistics."""

from __future__ import annotations

import csv
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from rtgym_ros.core.histogram import NO_STATISTICS, PERCENTILES, DurationHistogram
from rtgym_ros.core.time_source import NS_PER_S, to_s

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


class Benchmark(ABC):
    """Is called with when each operation of the environment began and ended; all times in ns of its time source."""

    @abstractmethod
    def call(self, entered_ns: int, joined_ns: int, left_ns: int, is_step: bool) -> None:
        """Note a call of ``step()`` or ``reset()``, and when it had waited for the running time-step."""

    @abstractmethod
    def send_control(self, began_ns: int, ended_ns: int) -> None:
        """Note a control sent at the start of a time-step."""

    @abstractmethod
    def get_obs(self, began_ns: int, ended_ns: int) -> None:
        """Note a capture."""

    @abstractmethod
    def summary(self) -> dict[str, Any]:
        """Return Real-Time Gym's dictionary."""

    @abstractmethod
    def statistics(self) -> dict[str, dict[str, float]]:
        """Return ``{name: {"count", "mean", "p50", "p90", "p99", "max"}}``, in seconds; nan where there is no value."""


class NullBenchmark(Benchmark):
    """Records nothing: the collaborator of an environment that is not benchmarked."""

    def call(self, entered_ns: int, joined_ns: int, left_ns: int, is_step: bool) -> None:
        """Ignore it."""

    def send_control(self, began_ns: int, ended_ns: int) -> None:
        """Ignore it."""

    def get_obs(self, began_ns: int, ended_ns: int) -> None:
        """Ignore it."""

    def summary(self) -> dict[str, Any]:
        """Return an empty dictionary."""
        return {}

    def statistics(self) -> dict[str, dict[str, float]]:
        """Return an empty dictionary."""
        return {}


class PolyakBenchmark(Benchmark):
    """Running averages, as Real-Time Gym keeps them, and histograms: in the same memory however long it runs.

    Args:
        factor: weight of the newest value, in (0, 1].
    """

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._averages: dict[str, tuple[float, float]] = {}
        self._histograms = {name: DurationHistogram() for name in DURATIONS}
        self._left_step_ns: int | None = None
        self._sent_ns: int | None = None

    def call(self, entered_ns: int, joined_ns: int, left_ns: int, is_step: bool) -> None:
        """Take the durations of a ``step()``; a ``reset()`` says only that what follows it was not inference."""
        if is_step:
            if self._left_step_ns is not None:
                self._record("inference_duration", entered_ns - self._left_step_ns)
            self._record("join_duration", joined_ns - entered_ns)
            self._record("step_duration", left_ns - entered_ns)
        self._left_step_ns = left_ns if is_step else None

    def send_control(self, began_ns: int, ended_ns: int) -> None:
        """Take how long sending took, and how long it is since the last time."""
        self._record("send_control_duration", ended_ns - began_ns)
        if self._sent_ns is not None:
            self._record("time_step_duration", began_ns - self._sent_ns)
        self._sent_ns = began_ns

    def get_obs(self, began_ns: int, ended_ns: int) -> None:
        """Take how long the capture took."""
        self._record("get_obs_duration", ended_ns - began_ns)

    def summary(self) -> dict[str, Any]:
        """Return ``{name: (mean, mean deviation)}`` in seconds; the mean is None before the first value."""
        return {name: self._averages.get(name, (None, 0.0)) for name in DURATIONS}

    def statistics(self) -> dict[str, dict[str, float]]:
        """Return the statistics of all durations; the percentiles are exact to 0.6 %, the rest is exact."""
        return {name: histogram.statistics() for name, histogram in self._histograms.items()}

    def _record(self, name: str, duration_ns: int) -> None:
        self._histograms[name].add(duration_ns)
        value = to_s(duration_ns)
        if name not in self._averages:
            self._averages[name] = (value, 0.0)
            return
        mean, deviation = self._averages[name]
        delta = value - mean
        # One assignment of an immutable pair: a reader in another thread never sees half of it.
        self._averages[name] = (mean + self._factor * delta, deviation + self._factor * (abs(delta) - deviation))


class TraceBenchmark(Benchmark):
    """When everything began and ended, in the order in which it came; it grows by about 500 bytes a time-step."""

    def __init__(self) -> None:
        self._calls: list[tuple[int, int, int, bool]] = []
        self._sends: list[tuple[int, int]] = []
        self._captures: list[tuple[int, int]] = []

    def call(self, entered_ns: int, joined_ns: int, left_ns: int, is_step: bool) -> None:
        """Keep the times of a ``step()`` or a ``reset()``."""
        self._calls.append((entered_ns, joined_ns, left_ns, is_step))

    def send_control(self, began_ns: int, ended_ns: int) -> None:
        """Keep the times of a send."""
        self._sends.append((began_ns, ended_ns))

    def get_obs(self, began_ns: int, ended_ns: int) -> None:
        """Keep the times of a capture."""
        self._captures.append((began_ns, ended_ns))

    def summary(self) -> dict[str, Any]:
        """Return ``{"clock": {event: times}, "deltas": {name: durations}}``, float64 arrays in seconds.

        As in Real-Time Gym a ``reset()`` is a call like ``step()``, and ``"time_step_duration"`` is from call to call:
        one element less than ``"start_step"``. What :meth:`statistics` tells of is from send to send.
        """
        entered, joined, left = _columns([call[:3] for call in self._calls], 3)
        sending, sent = _columns(self._sends, 2)
        capturing, captured = _columns(self._captures, 2)
        clock = {
            "start_step": entered,
            "end_step_join": joined,
            "end_step": left,
            "start_get_obs": capturing,
            "end_get_obs": captured,
            "start_send_control": sending,
            "end_send_control": sent,
        }
        deltas = {
            "time_step_duration": np.diff(entered),
            "step_duration": left - entered,
            "join_duration": joined - entered,
            "inference_duration": entered[1:] - left[:-1],
            "send_control_duration": sent - sending,
            "get_obs_duration": captured - capturing,
        }
        # Subtracted as integers: a difference of seconds since boot would round to a nanosecond or more.
        return {
            part: {k: v / 1e9 for k, v in arrays.items()} for part, arrays in (("clock", clock), ("deltas", deltas))
        }

    def statistics(self) -> dict[str, dict[str, float]]:
        """Return the statistics of all durations, exactly."""
        calls, sends, captures = _columns(self._calls, 4), _columns(self._sends, 2), _columns(self._captures, 2)
        entered, joined, left, is_step = calls
        steps = is_step.astype(bool)
        durations = {
            "time_step_duration": np.diff(sends[0]),
            "step_duration": (left - entered)[steps],
            "join_duration": (joined - entered)[steps],
            "inference_duration": (entered[1:] - left[:-1])[steps[1:] & steps[:-1]],
            "send_control_duration": sends[1] - sends[0],
            "get_obs_duration": captures[1] - captures[0],
        }
        return {name: _statistics_of(values) for name, values in durations.items()}

    def export(self, path: str | Path) -> None:
        """Write a CSV file with the columns event, start, end and duration (s), which ``pandas.read_csv`` reads.

        Events: ``step`` and ``reset`` (the call), ``join`` (the part of it that waited), ``send_control``, ``get_obs``.

        Raises:
            OSError: the file cannot be written.
        """
        rows = [("step" if is_step else "reset", entered, left) for entered, _, left, is_step in self._calls]
        rows += [("join", entered, joined) for entered, joined, _, _ in self._calls]
        rows += [("send_control", *send) for send in self._sends]
        rows += [("get_obs", *capture) for capture in self._captures]
        rows.sort(key=lambda row: row[1])
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("event", "start", "end", "duration"))
            for event, start_ns, end_ns in rows:
                writer.writerow((event, *map(_decimal, (start_ns, end_ns, end_ns - start_ns))))


def make_benchmark(enabled: bool, kind: str, factor: float) -> Benchmark:
    """Return the collaborator that a configuration asks for; ``kind`` is ``"polyak"`` or ``"trace"``, in any case."""
    if not enabled:
        return NullBenchmark()
    return PolyakBenchmark(factor) if kind.lower() == "polyak" else TraceBenchmark()


def _columns(rows: list[Any], number: int) -> Any:
    return np.array(rows, dtype=np.int64).reshape(-1, number).T


def _decimal(nanoseconds: int) -> str:
    """Return seconds with all nine decimals: a float would round a time since 1970."""
    return f"{nanoseconds // NS_PER_S}.{nanoseconds % NS_PER_S:09d}"


def _statistics_of(durations_ns: Any) -> dict[str, float]:
    if not len(durations_ns):
        return dict(NO_STATISTICS)
    percentiles = np.percentile(durations_ns, PERCENTILES, method="inverted_cdf") / 1e9
    return {
        "count": len(durations_ns),
        "mean": float(durations_ns.mean()) / 1e9,
        **{f"p{percent}": float(value) for percent, value in zip(PERCENTILES, percentiles, strict=True)},
        "max": to_s(int(durations_ns.max())),
    }
