"""What remains of a run: tables on the terminal, a JSON file, pictures."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.measurements import Measurement
from benchmarks.options import Options
from benchmarks.pictures.verdicts import draw_verdicts
from benchmarks.results import Results
from benchmarks.tables import figure_table, summary, verdict_table
from benchmarks.targets import Verdict


def tell(console: Console, measurements: Sequence[Measurement], results: Results, verdicts: Sequence[Verdict]) -> None:
    """Print a table for each measurement, what is missing, and how the targets are met."""
    for measurement in measurements:
        console.print(figure_table(measurement, results))
    if verdicts:
        console.print(verdict_table(verdicts))
    notes = [f"{measurement.name}: {note}" for measurement in measurements for note in measurement.notes]
    skipped = [f"{name}: skipped, {reason}" for name, reason in results.skipped.items()]
    failures = [f"FAILED {failure}" for failure in results.failures]
    for line in (*notes, *skipped, *failures, *summary(verdicts)):
        console.print(line, highlight=False, soft_wrap=True)


def write(file: Path, options: Options, machine: dict[str, Any], results: Results, verdicts: Sequence[Verdict]) -> None:
    """Write everything but the single times as JSON; what is not a number there is null."""
    content = {
        "options": asdict(options),
        "machine": machine,
        "results": results.as_json(),
        "targets": [asdict(verdict) for verdict in verdicts],
        "failures": results.failures,
        "skipped": results.skipped,
    }
    file.write_text(json.dumps(_finite(content), indent=1), encoding="utf-8")


def draw(
    measurements: Sequence[Measurement], results: Results, verdicts: Sequence[Verdict], folder: Path
) -> Iterator[Path]:
    """Write the pictures of every measurement that has figures, and yield their paths."""
    for measurement in measurements:
        if results.keys(measurement.name):
            yield from measurement.draw(results, folder)
    if verdicts:
        yield draw_verdicts(verdicts, folder / "targets.png")


def _finite(value: Any) -> Any:
    """Return ``value`` with None for every float that JSON does not know."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
