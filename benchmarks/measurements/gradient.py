"""A learner in the process that steps: one gradient step a time-step, between two calls of ``step()``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measurements.measurement import Measurement
from benchmarks.peers import OURS, RTGYM
from benchmarks.pictures.distributions import draw_tails
from benchmarks.results import Figures, Results
from benchmarks.run import Run, program
from benchmarks.statistics import in_us, interval_deviations
from benchmarks.targets import Target

_RATES_HZ = (20, 50)


def _case(rate_hz: int) -> str:
    return f"{rate_hz} Hz"


class Gradient(Measurement):
    """Environments of both packages at 20 and 50 Hz, whose agent trains a small network before each action.

    - Send and capture jitter: how far the intervals between two sends, or two captures, are from the nominal one.
    - Time-steps that timed out.
    - Work: how long a gradient step took, in the same run.
    """

    name = "gradient"
    title = "a gradient step a time-step, in the process that steps"
    columns = (
        ("send_jitter.p50", "send jitter p50 (µs)"),
        ("send_jitter.p99", "p99"),
        ("send_jitter.max", "max"),
        ("capture_jitter.p99", "capture jitter p99"),
        ("timeouts", "timeouts"),
        ("work.p50", "work p50"),
    )
    default_seconds = 15.0
    short_seconds = 1.0

    def runs(self) -> Iterator[Run]:
        """Yield both rates of every environment."""
        for rate_hz in _RATES_HZ:
            for peer in (*OURS[:1], *RTGYM):
                arguments = {
                    "peer": peer,
                    "period_ns": round(1e9 / rate_hz),
                    "seconds": self.seconds,
                    "warm_up_s": 1.0,
                    "work_name": "training",
                }
                yield program("steps", _case(rate_hz), peer, self.timeout_s, arguments)

    def read(self, run: Run, output: dict[str, Any]) -> Figures:
        """Reckon everything from the times alone."""
        nominal_ns = round(1e9 / int(run.case.split()[0]))
        deviations = interval_deviations(output["sends"], nominal_ns)
        statistics = {
            **in_us("send_jitter", abs(deviations)),
            **in_us("capture_jitter", abs(interval_deviations(output["captures"], nominal_ns))),
            **in_us("work", np.array(output["work"])),
            "timeouts": float(output["timeouts"]),
        }
        return Figures(statistics, {"send_deviation": deviations / 1e3})

    def targets(self) -> list[Target]:
        """Return that of the issue: less than the better one of Real-Time Gym's."""
        return [
            Target("send jitter p99 while learning", self.name, _case(rate_hz), "send_jitter.p99", OURS[:1], 1.0, RTGYM)
            for rate_hz in _RATES_HZ
        ]

    def draw(self, results: Results, folder: Path) -> Iterator[Path]:
        """Draw the tails."""
        cases = [_case(rate_hz) for rate_hz in _RATES_HZ]
        rows = {"send_deviation": "send jitter"}
        yield draw_tails(results, self.name, cases, (*OURS[:1], *RTGYM), rows, folder / "gradient.png")
