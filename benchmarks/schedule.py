"""The order of things: everything in turns with its peers, over and over, so that all see the same machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.measurements import Measurement
from benchmarks.results import Results
from benchmarks.run import Run, RunError


def in_turns(runs: Iterable[Run], repeat: int) -> Iterator[Run]:
    """Yield the runs of one repeat: case by case, its peers each time beginning with another one."""
    for _, group in groupby(runs, key=lambda run: run.case):
        peers = list(group)
        first = repeat % len(peers)
        yield from (*peers[first:], *peers[:first])


def carry_out(measurements: Sequence[Measurement], repeats: int, results: Results, console: Console) -> None:
    """Make every measurement ``repeats`` times; what fails is told in one line and the others go on.

    Ctrl-C ends it; ``results`` has what there is by then.
    """
    plan = {measurement: measurement.wanted_runs() for measurement in measurements}
    # No thread draws it: it would wake up beside what is measured.
    progress = Progress(
        TextColumn("{task.description:<60}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        auto_refresh=False,
        disable=not console.is_terminal,
    )
    with progress:
        task = progress.add_task("", total=repeats * sum(map(len, plan.values())))
        for repeat in range(repeats):
            for measurement, runs in plan.items():
                for run in in_turns(runs, repeat):
                    progress.update(task, description=f"{measurement.name}: {run.case}: {run.peer}", refresh=True)
                    failure = _attempt(measurement, run, results)
                    if failure:
                        results.failures.append(failure)
                        progress.console.print(f"FAILED {failure}", style="red", highlight=False, soft_wrap=True)
                    progress.advance(task)
            if not console.is_terminal:
                progress.console.print(f"repeat {repeat + 1} of {repeats} done", highlight=False)
        progress.update(task, description="", refresh=True)


def _attempt(measurement: Measurement, run: Run, results: Results) -> str | None:
    """Make one run; return what went wrong, in one line."""
    where = f"{measurement.name}: {run.case}: {run.peer}"
    try:
        output = run.measure()
    except RunError as error:
        return f"{where}: {error}"
    try:
        results.add(measurement.name, run.case, run.peer, measurement.read(run, output))
    except (KeyError, ValueError, IndexError, TypeError, ZeroDivisionError) as error:
        return f"{where}: cannot use what it printed: {error!r}"
    return None
