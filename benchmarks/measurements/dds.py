"""The way from topic to action: through DDS, beside a node as one would write it by hand."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clock_loop import CompileError, clock_loop
from benchmarks.measurements.measurement import Measurement
from benchmarks.peers import C_SLEEP, C_SPIN, FIFO, OURS, TIMER_NODE
from benchmarks.pictures.distributions import draw_tails
from benchmarks.results import Figures, Results
from benchmarks.run import Run, program
from benchmarks.statistics import drift, in_us, interval_deviations
from benchmarks.targets import Target

_PERIOD_NS = 2_000_000
_SAMPLING_NS = 1_001_000
"""A thousandth off: like any robot's clock it drifts past ours, so that captures meet every phase of its sampling."""

_CASE = "500 Hz, observations at 1 kHz"


class Dds(Measurement):
    """A robot in a process of its own publishes stamped observations at 1 kHz and writes down when commands arrive.

    - Send jitter: as in ``jitter``, of what is published at 500 Hz.
    - Age: capture time less the stamp of the observation that was captured.
    - Latency: from the stamp of a command, given just before it is published, to the robot's callback.
    - Lost: commands that never came to the callback.

    Stamps of both sides are of the same clock of the same machine. Beside it a C program waits for the same instants.
    """

    name = "dds"
    title = "from topic to action through DDS"
    columns = (
        ("send_jitter.p50", "send jitter p50 (µs)"),
        ("send_jitter.p99", "p99"),
        ("send_jitter.max", "max"),
        ("age.p50", "age p50"),
        ("age.p99", "p99"),
        ("latency.p50", "latency p50"),
        ("latency.p99", "p99"),
        ("lost", "lost"),
        ("timeouts", "timeouts"),
        ("drift", "drift"),
        ("cpu", "CPU (%)"),
    )
    default_seconds = 10.0
    short_seconds = 1.0

    def why_skipped(self) -> str | None:
        """Return that there is no ROS 2."""
        return None if importlib.util.find_spec("rclpy") else "rclpy is not installed"

    def runs(self) -> Iterator[Run]:
        """Yield our environments, the node that is written by hand, and the C programs."""
        arguments = {
            "period_ns": _PERIOD_NS,
            "sampling_ns": _SAMPLING_NS,
            "seconds": self.seconds,
            "warm_up_s": self.warm_up_s,
        }
        yield program("dds_timer_node", _CASE, TIMER_NODE, self.timeout_s, arguments)
        for peer in OURS[:1] if self.short else (*OURS, FIFO):
            yield program("dds_environment", _CASE, peer, self.timeout_s, {"peer": peer, **arguments})
        try:
            for peer in (C_SLEEP, C_SPIN):
                yield clock_loop(_CASE, peer, _PERIOD_NS, self.seconds, self.warm_up_s)
        except CompileError as error:
            self.notes.append(f"no C program beside it: {error}")

    def read(self, run: Run, output: dict[str, Any]) -> Figures:
        """Reckon everything from the times; the C programs send when they wake up."""
        sends = np.array(output["sends"] if "sends" in output else output["captures"])
        deviations = interval_deviations(sends, _PERIOD_NS)
        statistics = {
            **in_us("send_jitter", abs(deviations)),
            "drift": abs(drift(sends, _PERIOD_NS)) / 1e3,
            "cpu": 100 * output["cpu_ns"] / output["wall_ns"],
        }
        samples = {"send_deviation": deviations / 1e3}
        if "ages" in output:
            latencies = _latencies(output["stamps"], output["commands"])
            statistics |= {
                **in_us("age", output["ages"]),
                **in_us("latency", latencies),
                "lost": float(len(output["stamps"]) - len(latencies)),
            }
            samples |= {"age": np.array(output["ages"]) / 1e3, "latency": latencies / 1e3}
        if "timeouts" in output:  # a timer does not know of any
            statistics["timeouts"] = float(output["timeouts"])
        return Figures(statistics, samples)

    def targets(self) -> list[Target]:
        """Return those of the issue."""
        ours = (*OURS, FIFO)
        age_us = _SAMPLING_NS / 1e3 + 200
        return [
            Target("timeouts, worst repeat", self.name, _CASE, "timeouts", ours, 0.0, every_repeat=True),
            Target("age of the observation p50 (µs)", self.name, _CASE, "age.p50", ours, age_us),
            Target("send jitter p99", self.name, _CASE, "send_jitter.p99", ours, 1 / 4, (TIMER_NODE,)),
        ]

    def draw(self, results: Results, folder: Path) -> Iterator[Path]:
        """Draw the tails."""
        rows = {"send_deviation": "send jitter", "age": "age at capture", "latency": "latency to the robot"}
        peers = (*OURS, FIFO, TIMER_NODE, C_SLEEP, C_SPIN)
        yield draw_tails(results, self.name, [_CASE], peers, rows, folder / "dds.png")


def _latencies(stamps_ns: list[int], commands_ns: list[tuple[int, int]]) -> np.ndarray:
    """Return how long (ns) each command that was sent took to the callback, of those that came there."""
    received = dict(commands_ns)
    return np.array([received[stamp] - stamp for stamp in stamps_ns if stamp in received], np.int64)
