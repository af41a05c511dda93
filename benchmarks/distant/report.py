"""A table on the terminal, and everything as JSON."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe_machine, load_average

_RESULTS = Path(__file__).resolve().parents[1] / "results"


class Report:
    """What a measurement came to.

    Args:
        name: of the measurement.
    """

    def __init__(self, name: str) -> None:
        self.folder = _RESULTS / f"distant_{name}_{datetime.now():%Y-%m-%d_%H-%M-%S}"
        self.folder.mkdir(parents=True)
        self._content = {"measurement": name, "machine": describe_machine(), "figures": {}, "verdicts": []}
        self._console = Console() if Console().is_terminal else Console(width=140)

    def add(self, **figures) -> None:
        """Keep figures, and write the file anew: what is there stays if the rest fails."""
        self._content["figures"] |= figures
        self._write()

    def table(self, heading: str, rows: list[dict]) -> None:
        """Print rows of the same keys, and keep them."""
        table = Table(title=heading, title_justify="left", box=SIMPLE_HEAD)
        for number, name in enumerate(rows[0] if rows else ()):
            table.add_column(name, justify="right" if number else "left")
        for row in rows:
            table.add_row(*(f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()))
        self._console.print(table)
        self.add(**{heading: rows})

    def verdict(self, claim: str, holds: bool, how: str = "") -> None:
        """Print whether something that must hold does, and keep it."""
        told = {True: "[green]holds[/]", False: "[red]DOES NOT HOLD[/]"}[bool(holds)]
        self._console.print(f"{told}: {claim}{f' ({how})' if how else ''}", highlight=False, soft_wrap=True)
        self._content["verdicts"].append({"claim": claim, "holds": bool(holds), "how": how})
        self._write()

    def say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def end(self) -> int:
        """Return the exit code: whether everything holds."""
        self.say(f"{self.folder}/results.json")
        return int(not all(verdict["holds"] for verdict in self._content["verdicts"]))

    def _write(self) -> None:
        self._content["machine"]["load_average_after"] = load_average()
        (self.folder / "results.json").write_text(json.dumps(self._content, indent=1, default=float))
