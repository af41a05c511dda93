"""What a run looks like on a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from benchmarks.measurements import Measurement
from benchmarks.results import Results
from benchmarks.targets import Verdict

_WORDS = {True: "[green]met[/]", False: "[red]missed[/]", None: "not measured"}


def figure_table(measurement: Measurement, results: Results) -> Table:
    """Return the medians over the repeats, a row for each case and peer."""
    table = _table(f"{measurement.name}: {measurement.title}", ("case", "peer"), [h for _, h in measurement.columns])
    previous = ""
    for key in results.keys(measurement.name):
        _, case, peer = key
        if previous and case != previous:
            table.add_section()
        cells = (number(results.median(*key, statistic)) for statistic, _ in measurement.columns)
        table.add_row(case if case != previous else "", peer, *cells)
        previous = case
    return table


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """Return a row for each target and each of ours."""
    table = _table("Targets", ("target", "case", "ours"), ("figure", "best peer", "its figure", "ratio", "at most", ""))
    previous = None
    for verdict in verdicts:
        target = verdict.target
        is_ratio = bool(target.theirs)
        first = target is not previous
        table.add_row(
            target.what if first else "",
            target.case if first else "",
            verdict.peer,
            number(verdict.figure),
            verdict.best_peer,
            number(verdict.best) if is_ratio else "",
            f"{verdict.value:.3f}" if is_ratio and not math.isnan(verdict.value) else "",
            number(target.bound),
            _WORDS[verdict.met],
        )
        previous = target
    return table


def summary(verdicts: Sequence[Verdict]) -> list[str]:
    """Return a line for each of ours."""
    lines = []
    for peer in dict.fromkeys(verdict.peer for verdict in verdicts):
        of_peer = [verdict for verdict in verdicts if verdict.peer == peer]
        judged = [verdict for verdict in of_peer if verdict.met is not None]
        lines.append(
            f"{peer}: {sum(verdict.met is True for verdict in judged)} of {len(judged)} targets met"
            + (f", {len(of_peer) - len(judged)} not measured" if len(judged) < len(of_peer) else "")
        )
    return lines


def _table(title: str, texts: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in texts:
        table.add_column(heading, no_wrap=True)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table


def number(value: float) -> str:
    """Return three digits, or all that stand before the decimal point."""
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "none"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
