"""The shortest time-step that is sustained."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measurements.measurement import Measurement
from benchmarks.peers import OURS, RTGYM
from benchmarks.pictures.costs import draw_bars
from benchmarks.results import Figures, Results
from benchmarks.run import Run, program
from benchmarks.targets import Target

_LADDER_US = (1000, 700, 500, 400, 300, 250, 200, 150, 125, 100, 75, 50, 40, 30, 20)
_SHORT_LADDER_US = (2000, 500, 200)
_CASE = "idle"


class Shortest(Measurement):
    """A ladder of time-steps, each tried for a second in a new environment, twice before the search ends.

    One is sustained if the mean time-step is within 1 % of it and no more than 0.1 % of the time-steps time out, with
    the usual elasticity of one time-step.
    """

    name = "shortest"
    title = "shortest sustained time-step"
    columns = (("shortest", "time-step (µs)"),)
    default_seconds = 1.0
    short_seconds = 0.1

    def runs(self) -> Iterator[Run]:
        """Yield a search for every environment."""
        ladder_us = _SHORT_LADDER_US if self.short else _LADDER_US
        ladder_ns = [1_000 * rung for rung in ladder_us]
        for peer in (*OURS, *RTGYM):
            timeout_s = self.timeout_s + 2 * len(ladder_ns) * (self.seconds + self.warm_up_s)
            arguments = {"peer": peer, "ladder_ns": ladder_ns, "seconds": self.seconds, "warm_up_s": self.warm_up_s}
            yield program("shortest", _CASE, peer, timeout_s, arguments)

    def read(self, run: Run, output: dict[str, Any]) -> Figures:
        """Take it as it is; that of a peer which sustains none is infinite."""
        shortest_ns = output["shortest_ns"]
        return Figures({"shortest": math.inf if shortest_ns is None else shortest_ns / 1e3})

    def targets(self) -> list[Target]:
        """Return that of the issue."""
        return [Target("shortest sustained time-step", self.name, _CASE, "shortest", OURS, 1 / 2, RTGYM)]

    def draw(self, results: Results, folder: Path) -> Iterator[Path]:
        """Draw a bar each."""
        yield draw_bars(results, self.name, _CASE, (*OURS, *RTGYM), "shortest", folder / "shortest.png")
