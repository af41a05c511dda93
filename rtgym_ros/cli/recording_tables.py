"""The tables of ``recording``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from rtgym_ros.record.reading import Episode
from rtgym_ros.record.summary import Summary, duration

_TEXTS = ("run", "environment", "recorded", "contract", "run:episode", "end", "note")


def busy(words: str) -> AbstractContextManager[object]:
    """Show on a terminal that something is being done."""
    status: AbstractContextManager[object] = Console(stderr=True).status(words)
    return status


def show_summary(summary: Summary) -> None:
    """Print a table with a row a run, and what is wrong with files."""
    console = Console()
    if summary.runs:
        rows = []
        for run_id, run in summary.runs.items():
            facts = run.run.facts
            recorded = facts.get("created", "")[:16].replace("T", " ")
            counts = f"{run.episodes}", f"{run.steps}", f"{run.missing or ''}", f"{run.duration / 60:.1f}"
            has_contract = "yes" if facts.get("contract") else ""
            rows.append((run_id[:6], facts.get("environment", ""), recorded, *counts, has_contract))
        columns = "run", "environment", "recorded", "episodes", "steps", "missing", "minutes", "contract"
        console.print(_table(columns, rows))
    size = f"{summary.size / 1e6:.2f} MB"
    console.print(f"{summary.files} file{'s' if summary.files != 1 else ''}, {size}", highlight=False)
    for line in summary.refused:
        console.print(line, style="red", highlight=False, soft_wrap=True, markup=False)


def show_episodes(episodes: Iterable[Episode]) -> None:
    """Print a table with a row an episode; columns in which nothing stands are left out."""
    rows = []
    with busy("reading"):
        for number, episode in enumerate(episodes):
            facts, steps = episode.facts, episode.steps
            words = [{"true": "success", "false": "failure"}.get(facts.get("success", ""), ""), facts.get("note", "")]
            overruns, timeouts = sum(step.overrun for step in steps), sum(step.timed_out for step in steps)
            rows.append(
                (
                    f"{number}", f"{episode.run.id[:6]}:{episode.number}", facts.get("seed", ""), f"{len(steps) - 1}",
                    f"{episode.missing or ''}", f"{duration(episode):.2f}",
                    f"{sum(step.reward for step in steps):.4g}", _end(episode), f"{overruns or ''}",
                    f"{timeouts or ''}", " ".join(filter(None, words)),
                )
            )  # fmt: skip
    columns = "#", "run:episode", "seed", "steps", "missing", "s", "return", "end", "overruns", "timeouts", "note"
    Console().print(_table(columns, rows))


def _end(episode: Episode) -> str:
    if episode.steps[-1].terminated:
        return "terminated"
    return "truncated" if episode.steps[-1].truncated else "left"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table of the columns in which something stands."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    shown = [number for number in range(len(columns)) if any(row[number] for row in rows)]
    for number in shown:
        table.add_column(columns[number], justify="left" if columns[number] in _TEXTS else "right")
    for row in rows:
        table.add_row(*(row[number] for number in shown))
    return table
