"""``./dev bench``: measure in turns, tell, write down, draw."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import monotonic

from rich.console import Console

from benchmarks import report
from benchmarks.machine import describe_machine, load_average, one_line
from benchmarks.measurements import MEASUREMENTS, Measurement
from benchmarks.options import Options, parse
from benchmarks.results import Results
from benchmarks.schedule import carry_out
from benchmarks.targets import Verdict, judge

_RESULTS = Path(__file__).with_name("results")
_WIDTH = 160
"""Of the tables, where there is no terminal (characters)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit code says whether every measurement could be made, and nothing about the figures."""
    options = parse(list(MEASUREMENTS), arguments)
    console = Console()
    console = console if console.is_terminal else Console(width=_WIDTH)
    began, machine, results = monotonic(), describe_machine(), Results()
    console.print(one_line(machine), highlight=False, soft_wrap=True)
    measurements = _those_possible(options, results)
    interrupted = False
    try:
        carry_out(measurements, options.repeats, results, console)
    except KeyboardInterrupt:
        interrupted = True
    machine["load_average_after"] = load_average()
    verdicts = _judge(measurements, results)
    folder = _RESULTS / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    folder.mkdir(parents=True)
    report.write(folder / "results.json", options, machine, results, verdicts)
    report.tell(console, measurements, results, verdicts)
    pictures = list(report.draw(measurements, results, verdicts, folder))
    told = f"{monotonic() - began:.0f} s; results.json and {len(pictures)} pictures are in {folder}"
    console.print(told, highlight=False, soft_wrap=True)
    return 130 if interrupted else int(bool(results.failures))


def _those_possible(options: Options, results: Results) -> list[Measurement]:
    possible = []
    for name in options.names:
        measurement = MEASUREMENTS[name](options)
        reason = measurement.why_skipped()
        if reason:
            results.skipped[name] = reason
        else:
            possible.append(measurement)
    return possible


def _judge(measurements: Sequence[Measurement], results: Results) -> list[Verdict]:
    """Return the verdicts on what was measured: a short run has few of the cases."""
    targets = [target for measurement in measurements for target in measurement.targets()]
    measured = {key[:2] for measurement in measurements for key in results.keys(measurement.name)}
    return [
        verdict
        for target in targets
        if (target.measurement, target.case) in measured
        for verdict in judge(target, results.median, results.worst)
    ]


if __name__ == "__main__":
    sys.exit(main())
