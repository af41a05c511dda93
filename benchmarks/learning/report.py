"""What came of it: a table, and the learning curves of all runs in one picture."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean, median

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from rtgym_ros.train.local.learning_curve import read_episodes, save_learning_curve

_COLUMNS = ("run", "episodes", "return, median", "mean", "success", "time-steps, mean")


def report(folder: Path, runs: dict[str, list[Path]], flights: dict[str, list[dict[str, float]]]) -> None:
    """Print the table of the flights, write ``learning_curve.png``."""
    table = Table(box=SIMPLE_HEAD)
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "run" else "right")
    for name, flown in flights.items():
        returns = [one["return"] for one in flown]
        table.add_row(
            name,
            str(len(flown)),
            f"{median(returns):.2f}",
            f"{fmean(returns):.2f}",
            f"{fmean(one['terminated'] for one in flown):.0%}",
            f"{fmean(one['length'] for one in flown):.1f}",
        )
    Console(width=120).print(table)
    curves = {kind: [read_episodes(run / "trainer") for run in group] for kind, group in runs.items() if group}
    save_learning_curve(folder / "learning_curve.png", curves)
    print(f"{folder}/learning_curve.png")
