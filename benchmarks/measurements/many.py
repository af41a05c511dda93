"""Many environments at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measurements.measurement import Measurement
from benchmarks.peers import OURS, RTGYM
from benchmarks.pictures.growth import draw_growth
from benchmarks.results import Figures, Results
from benchmarks.run import Run, program
from benchmarks.statistics import in_us, interval_deviations

_PERIOD_NS = 10_000_000
_NUMBERS = (1, 2, 4, 8, 16)
_DRAWN = {
    "send_jitter.p50": "send jitter p50 (µs)",
    "send_jitter.p99": "send jitter p99 (µs)",
    "timeouts": "timeouts of all",
    "cpu": "CPU of all (%)",
}
_WAYS = {"threads of one process": False, "processes": True}


def case(number: int, way: str) -> str:
    """Return the name of a case."""
    return f"{number} {way}"


class Many(Measurement):
    """1 to 16 environments of 10 ms at the same time: in one process, a thread each, and in a process each."""

    name = "many"
    title = "many environments at once, 10 ms each"
    columns = (
        ("send_jitter.p50", "send jitter p50 (µs)"),
        ("send_jitter.p99", "p99"),
        ("timeouts", "timeouts"),
        ("cpu", "CPU of all (%)"),
    )
    default_seconds = 2.0

    def runs(self) -> Iterator[Run]:
        """Yield every number in both ways."""
        for way, in_processes in _WAYS.items():
            for number in self._numbers():
                for peer in self._peers():
                    arguments = {
                        "peer": peer,
                        "number": number,
                        "in_processes": in_processes,
                        "period_ns": _PERIOD_NS,
                        "seconds": self.seconds,
                        "warm_up_s": self.warm_up_s,
                    }
                    yield program("many", case(number, way), peer, self.timeout_s, arguments)

    def read(self, run: Run, output: dict[str, Any]) -> Figures:
        """Pool the intervals of all the environments."""
        deviations = np.concatenate([interval_deviations(sends, _PERIOD_NS) for sends in output["sends"]])
        return Figures(
            {
                **in_us("send_jitter", abs(deviations)),
                "timeouts": float(output["timeouts"]),
                "cpu": output["cpu_percent"],
            }
        )

    def draw(self, results: Results, folder: Path) -> Iterator[Path]:
        """Draw how CPU and jitter grow."""
        rows = {way: {number: case(number, way) for number in self._numbers()} for way in _WAYS}
        yield draw_growth(results, self.name, rows, self._peers(), _DRAWN, folder / "many.png")

    def _numbers(self) -> tuple[int, ...]:
        return (2,) if self.short else _NUMBERS

    def _peers(self) -> tuple[str, ...]:
        return (OURS[0], RTGYM[0]) if self.short else (*OURS, *RTGYM)
