"""What a call of ``step()`` costs beyond waiting."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measurements.measurement import Measurement
from benchmarks.peers import OURS, RTGYM
from benchmarks.pictures.costs import draw_boxes
from benchmarks.results import Figures, Results
from benchmarks.run import Run, program
from benchmarks.statistics import in_us
from benchmarks.targets import Target

_BACK_TO_BACK = "back to back"
_IN_TIME = "2 ms"
_PERIODS_NS = {_BACK_TO_BACK: 1_000, _IN_TIME: 2_000_000}


class StepCost(Measurement):
    """Two views of it, the same for every peer.

    - Back to back: time-steps of 1 µs with an elasticity that never times out, so that the end has always passed when
      ``step()`` is called, and nothing is ever waited for. The cost is from one return of ``step()`` to the next.
    - At 2 ms: the waiting ends with the capture (it is due at the end of the time-step). The cost is from the capture
      to the return of ``step()``: taking the observation over, sending the next action, starting the next time-step.
    """

    name = "step_cost"
    title = "cost of step() beyond waiting"
    columns = (("cost.p50", "p50 (µs)"), ("cost.p90", "p90"), ("cost.p99", "p99"), ("cost.max", "max"))
    default_seconds = 2.0

    def runs(self) -> Iterator[Run]:
        """Yield both views of every environment."""
        for case, period_ns in _PERIODS_NS.items():
            for peer in (*OURS, *RTGYM):
                arguments = {
                    "peer": peer,
                    "period_ns": period_ns,
                    "seconds": self.seconds,
                    "warm_up_s": self.warm_up_s,
                    "elasticity": math.inf if case == _BACK_TO_BACK else 1.0,
                }
                yield program("steps", case, peer, self.timeout_s, arguments)

    def read(self, run: Run, output: dict[str, Any]) -> Figures:
        """Take the times from return to return, or from capture to return."""
        returns = np.array(output["returns"])
        costs = np.diff(returns) if run.case == _BACK_TO_BACK else returns - output["captures"]
        return Figures(in_us("cost", costs), {"cost": costs / 1e3})

    def targets(self) -> list[Target]:
        """Return that of the issue, which is about steps back to back."""
        return [Target("step() cost p50", self.name, _BACK_TO_BACK, "cost.p50", OURS, 1 / 10, RTGYM)]

    def draw(self, results: Results, folder: Path) -> Iterator[Path]:
        """Draw a box each."""
        yield draw_boxes(results, self.name, list(_PERIODS_NS), (*OURS, *RTGYM), "cost", folder / "step_cost.png")
