"""How regular the time-steps are, on an idle machine and beside a busy thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clock_loop import CompileError, clock_loop
from benchmarks.measurements.measurement import Measurement
from benchmarks.peers import C_SLEEP, C_SPIN, FIFO, OURS, RTGYM, SLEEP, SLOW_SWITCH
from benchmarks.pictures.distributions import draw_intervals, draw_tails
from benchmarks.results import Figures, Results
from benchmarks.run import Run, program
from benchmarks.statistics import drift, grid_lateness, in_us, interval_deviations
from benchmarks.targets import Target

_PERIODS_MS = (20, 5, 2, 1, 0.5)
_LOADS = {
    "idle": "idle",
    "python": "busy Python thread",
    "numpy": "busy NumPy thread",
    "training": "training loop",
}
_FEWEST_TIME_STEPS = 250
"""A run lasts long enough for as many: a p99 of less is hardly one."""


def case(period_ms: float, load: str = "idle") -> str:
    """Return the name of a case."""
    return f"{period_ms:g} ms, {_LOADS[load]}"


def period_ns(case: str) -> int:
    """Return the period that a case is named after."""
    return round(1e6 * float(case.split()[0]))


class Jitter(Measurement):
    """Environments of both packages, with the same interface, which does nothing but write down the time.

    - Send and capture jitter: how far the intervals between two sends, or two captures, are from the nominal one.
    - Send and capture lateness on the ideal grid, which is laid by the most punctual event.
    - Lateness: capture less when it was due, of those peers that tell.
    - Drift, time-steps that timed out, and CPU: time of all threads of the process over time that passed.
    """

    name = "jitter"
    title = "regularity of sending and capturing"
    columns = (
        ("send_jitter.p50", "send jitter p50 (µs)"),
        ("send_jitter.p99", "p99"),
        ("send_jitter.max", "max"),
        ("capture_jitter.p50", "capture jitter p50"),
        ("capture_jitter.p99", "p99"),
        ("lateness.p50", "lateness p50"),
        ("lateness.p99", "p99"),
        ("drift", "drift"),
        ("timeouts", "timeouts"),
        ("cpu", "CPU (%)"),
    )
    default_seconds = 3.0

    def runs(self) -> Iterator[Run]:
        """Yield every period under every load; the C programs only where nothing else runs."""
        for period_ms, load in self._cases():
            yield from self._environments(period_ms, load)
            if load == "idle":
                yield from self._c_programs(period_ms)

    def read(self, run: Run, output: dict[str, Any]) -> Figures:
        """Reckon everything from the times alone."""
        nominal_ns = period_ns(run.case)
        captures = np.array(output["captures"])
        statistics = {
            **in_us("capture_jitter", abs(interval_deviations(captures, nominal_ns))),
            **in_us("capture_grid", grid_lateness(captures, nominal_ns)),
            "drift": abs(drift(captures, nominal_ns)) / 1e3,
            "cpu": 100 * output["cpu_ns"] / output["wall_ns"],
            "time_steps": float(len(captures)),
        }
        samples = {"capture_deviation": interval_deviations(captures, nominal_ns) / 1e3}
        if output["due"]:
            lateness = captures - output["due"]
            statistics |= in_us("lateness", lateness)
            samples["lateness"] = lateness / 1e3
        if "sends" in output:  # not of the C programs: they have nothing to send
            deviations = interval_deviations(output["sends"], nominal_ns)
            statistics |= {
                **in_us("send_jitter", abs(deviations)),
                **in_us("send_grid", grid_lateness(output["sends"], nominal_ns)),
                "timeouts": float(output["timeouts"]),
            }
            samples["send_deviation"] = deviations / 1e3
        return Figures(statistics, samples)

    def targets(self) -> list[Target]:
        """Return those of the issue."""
        targets = []
        for period_ms in (20, 5, 2):
            for what, statistic, bound in (
                ("send jitter p50", "send_jitter.p50", 1 / 8),
                ("send jitter p99", "send_jitter.p99", 1 / 4),
                ("capture jitter p50", "capture_jitter.p50", 1 / 5),
                ("CPU", "cpu", 1 / 2),
            ):
                targets.append(self._target(what, statistic, case(period_ms), bound, RTGYM))
        for period_ms in (1, 2, 5):
            idle = case(period_ms)
            targets.append(self._target("lateness of capture p50", "lateness.p50", idle, 1 / 4, (C_SLEEP,)))
            targets.append(self._target("lateness of capture p99", "lateness.p99", idle, 2.0, (C_SPIN,)))
        idle = case(1)
        targets.append(self._target("timeouts, worst repeat", "timeouts", idle, 0.0, every_repeat=True))
        targets.append(self._target("drift (µs), worst repeat", "drift", idle, 50.0, every_repeat=True))
        busy = case(5, "python")
        targets.append(self._target("send jitter p50 (µs)", "send_jitter.p50", busy, 50.0))
        return targets

    def draw(self, results: Results, folder: Path) -> Iterator[Path]:
        """Draw the intervals beside rtgym's, and the tails of everything."""
        measured = {key[1] for key in results.keys(self.name)}
        cases: dict[str, list[str]] = {load: [] for load in _LOADS}
        for period_ms, load in self._cases():
            if case(period_ms, load) in measured:
                cases[load].append(case(period_ms, load))
        peers, idle = (*OURS, *RTGYM), cases["idle"]
        if idle:
            yield draw_intervals(results, self.name, idle, peers, folder / "jitter_intervals.png")
        for load in filter(cases.get, cases):
            rows = {"send_deviation": "send jitter", "capture_deviation": "capture jitter"}
            everybody = (*OURS, SLEEP, FIFO, SLOW_SWITCH, *RTGYM, C_SLEEP, C_SPIN)
            yield draw_tails(results, self.name, cases[load], everybody, rows, folder / f"jitter_tails_{load}.png")
        rows = {"lateness": "lateness of capture"}
        if idle:
            yield draw_tails(results, self.name, idle, (*OURS, C_SLEEP, C_SPIN), rows, folder / "lateness.png")

    def _cases(self) -> list[tuple[float, str]]:
        if self.short:
            return [(2, "idle"), *((5, load) for load in _LOADS if load != "idle")]
        return [(period_ms, load) for load in _LOADS for period_ms in _PERIODS_MS]

    def _environments(self, period_ms: float, load: str) -> Iterator[Run]:
        peers = [*OURS, *RTGYM]
        if self.short and load != "idle":
            peers = [OURS[0], RTGYM[0]]
        if load == "python":
            peers.append(SLOW_SWITCH)
        elif load == "idle":
            peers += [SLEEP, FIFO]
        for peer in peers:
            arguments = {
                "peer": peer,
                "period_ns": round(1e6 * period_ms),
                "seconds": self._seconds_at(period_ms),
                "warm_up_s": self.warm_up_s,
                "load_name": load,
            }
            yield program("steps", case(period_ms, load), peer, self.timeout_s, arguments)

    def _c_programs(self, period_ms: float) -> Iterator[Run]:
        try:
            for peer in (C_SLEEP, C_SPIN):
                seconds = self._seconds_at(period_ms)
                yield clock_loop(case(period_ms), peer, round(1e6 * period_ms), seconds, self.warm_up_s)
        except CompileError as error:
            self.notes.append(f"no C program beside it: {error}")

    def _seconds_at(self, period_ms: float) -> float:
        return self.seconds if self.short else max(self.seconds, _FEWEST_TIME_STEPS * period_ms / 1e3)

    def _target(
        self,
        what: str,
        statistic: str,
        case: str,
        bound: float,
        theirs: tuple[str, ...] = (),
        ours: tuple[str, ...] = OURS,
        every_repeat: bool = False,
    ) -> Target:
        return Target(what, self.name, case, statistic, ours, bound, theirs, every_repeat)
