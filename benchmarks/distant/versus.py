"""Samples a second of two checkouts in turns: this one, and that of the system before NATS, over its zenoh and Ray.

``--set checkout=PATH``: of the other, with a ``.venv`` of its own. Only the ratio within one run means something.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from statistics import median

from benchmarks.distant.processes import ROOT
from benchmarks.distant.report import Report
from benchmarks.distant.throughput import SYNCS

_TARGET = 3.0


def run(report: Report, checkout=(), repeats: float = 3, seconds: float = 8.0, link: str = "zenoh+ray") -> None:
    """Measure; everything told goes to the report.

    Args:
        report: gets it.
        checkout: path of the other.
        repeats: of each.
        seconds: of each measurement.
        link: of the other.
    """
    (other,) = map(Path, checkout)
    found: dict[str, list[float]] = {"before": [], **{f"sync {sync}": [] for sync in SYNCS}}
    for _ in range(int(repeats)):
        for row in _measure(other, seconds, f"links={link if isinstance(link, str) else link[0]}"):
            found["before"].append(min(row["taken in /s"], row["taken by the trainer /s"]))
        for row in _measure(ROOT, seconds, f"syncs={','.join(SYNCS)}"):
            found[f"sync {row['sync']}"].append(row["taken /s"])
        report.add(**{"every repeat": found})
    before = median(found["before"])
    middle = {name: median(all_) for name, all_ in found.items()}
    rows = [{"who": name, "samples/s": rate, "of before": rate / before} for name, rate in middle.items()]
    report.table("4 workers, pushed by the hundred", rows)
    for row in rows[1:]:
        report.verdict(
            f"{row['who']}: at least {_TARGET:g} times", row["of before"] >= _TARGET, f"{row['of before']:.2f}"
        )


def _measure(root: Path, seconds: float, more: str) -> list[dict]:
    command = [root / ".venv/bin/python", "-m", "benchmarks.distant", "throughput"]
    for setting in (f"seconds={seconds}", "literal_s=0", more):
        command += ["--set", setting]
    done = subprocess.run(
        list(map(str, command)), cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True,
        timeout=600,
    )  # fmt: skip
    path = next((line for line in reversed(done.stdout.split()) if line.endswith("results.json")), None)
    if path is None:
        raise RuntimeError(f"{root}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(Path(path).read_text())["figures"]["as fast as it goes"]
