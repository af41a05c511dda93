"""From ``./dev train`` to what comes of it: seconds to the first episodes at the trainer, processes, memory.

``--set checkout=PATH`` measures another checkout in turns with this one, for example one of before a change.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from statistics import median
from time import monotonic, sleep

from benchmarks.distant.processes import ROOT, descendants, memory_mb, wait_for
from benchmarks.distant.report import Report
from benchmarks.distant.setting import scratch

_MOST_PROCESSES = 8


def run(report: Report, repeats: float = 3, checkout=(), settle_s: float = 5.0) -> None:
    """Measure; everything told goes to the report.

    Args:
        report: gets it.
        repeats: of each checkout.
        checkout: paths of others, each with its own ``.venv``.
        settle_s: from the first episode to when processes are counted.
    """
    places = {"this": ROOT, **{Path(path).name: Path(path) for path in checkout}}
    found: dict[str, list[dict]] = {name: [] for name in places}
    for _ in range(int(repeats)):
        for name, root in places.items():
            found[name].append(_start(root, settle_s))
            report.add(**{"every repeat": found})
    rows = [{"who": name, **{key: median(one[key] for one in all_) for key in all_[0] if key != "names"}}
            for name, all_ in found.items()]  # fmt: skip
    report.table("./dev train --sim-time", rows)
    most = max(one["processes"] for one in found["this"])
    report.verdict(f"at most {_MOST_PROCESSES} processes", most <= _MOST_PROCESSES, f"{most}")


def _start(root: Path, settle_s: float) -> dict:
    with scratch() as (disk, _):
        command = [str(root / ".venv/bin/python"), "-m", "rtgym_ros.train.local.main", "--sim-time", "--seed", "1"]
        began = monotonic()
        with (disk / "said").open("wb") as said:
            program = subprocess.Popen(
                command, cwd=disk, env={**os.environ, "PYTHONPATH": str(root)}, stdin=subprocess.DEVNULL, stdout=said,
                stderr=said, start_new_session=True,
            )  # fmt: skip
        try:
            episodes = disk / "runs/drone/trainer/episodes.jsonl"
            try:
                wait_for(lambda: episodes.exists() and episodes.stat().st_size > 0, 400, f"{root}: the first episode")
            except TimeoutError as error:
                raise TimeoutError(f"{error}; it said: {(disk / 'said').read_text()[-2000:]}") from None
            first_s = monotonic() - began
            sleep(settle_s)
            names = {program.pid: "train_local", **descendants(program.pid)}
            used = [memory_mb(pid) for pid in names]
        finally:
            program.send_signal(signal.SIGINT)
            try:
                program.wait(120)
            except subprocess.TimeoutExpired:
                for pid in (*descendants(program.pid), program.pid):
                    os.kill(pid, signal.SIGKILL)
                program.wait()
        return {"first episode after (s)": first_s, "processes": len(names),
                "memory (MB)": sum(one[0] for one in used if one), "names": sorted(names.values())}  # fmt: skip
