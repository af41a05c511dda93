"""A long run: memory and the grid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measurements.measurement import Measurement
from benchmarks.peers import OURS
from benchmarks.pictures.history import draw_history
from benchmarks.results import Figures, Results
from benchmarks.run import Run, program
from benchmarks.targets import Target

_PERIOD_NS = 1_000_000
_CASE = "1 ms"


class Soak(Measurement):
    """1 kHz for as long as ``--seconds`` says; the issue asks for an hour.

    - Growth: memory of the process at the end less that after a tenth of the run; the start-up is over by then.
    - Drift: how far the captures of the last tenth lie behind the grid of the first capture, less those of the first.
    - Lateness: of the latest capture of all. Nothing times out: what is late is caught up.
    """

    name = "soak"
    title = "a long run at 1 kHz"
    columns = (
        ("growth", "growth (kB)"),
        ("memory", "memory (kB)"),
        ("drift", "drift (µs)"),
        ("lateness_max", "latest capture (µs)"),
        ("time_steps", "time-steps"),
        ("cpu", "CPU (%)"),
    )
    default_seconds = 60.0
    short_seconds = 0.5

    def runs(self) -> Iterator[Run]:
        """Yield our environments; what others do in an hour is theirs."""
        for peer in OURS[:1] if self.short else OURS:
            arguments = {
                "peer": peer,
                "period_ns": _PERIOD_NS,
                "seconds": self.seconds,
                "warm_up_s": self.warm_up_s,
            }
            yield program("soak", _CASE, peer, self.timeout_s, arguments)

    def read(self, run: Run, output: dict[str, Any]) -> Figures:
        """Compare the end with the beginning."""
        memory_kb, lateness_ns = np.array(output["memory_kb"]), np.array(output["lateness_ns"])
        tenth = len(memory_kb) // 10
        statistics = {
            "growth": float(memory_kb[-1] - memory_kb[tenth]),
            "memory": float(memory_kb[-1]),
            "drift": abs(float(np.median(lateness_ns[-tenth:]) - np.median(lateness_ns[:tenth]))) / 1e3,
            "lateness_max": output["lateness_max_ns"] / 1e3,
            "time_steps": float(output["time_steps"]),
            "cpu": 100 * output["cpu_ns"] / output["wall_ns"],
        }
        minutes = output["wall_ns"] / 60e9 * np.arange(1, len(memory_kb) + 1) / len(memory_kb)
        samples = {"minutes": minutes, "memory_mb": memory_kb / 1e3, "lateness_us": lateness_ns / 1e3}
        return Figures(statistics, samples)

    def targets(self) -> list[Target]:
        """Return those of the issue."""
        return [
            Target("growth of memory (kB), worst repeat", self.name, _CASE, "growth", OURS, 1000.0, every_repeat=True),
            Target("drift (µs), worst repeat", self.name, _CASE, "drift", OURS, 50.0, every_repeat=True),
        ]

    def draw(self, results: Results, folder: Path) -> Iterator[Path]:
        """Draw both over time."""
        rows = {"memory_mb": "memory (MB)", "lateness_us": "lateness of capture, median (µs)"}
        yield draw_history(results, self.name, _CASE, OURS, "minutes", rows, folder / "soak.png")
