"""The samples of 24 hours at 20 Hz, as fast as they go: whose memory grows?"""

from __future__ import annotations

import json
import os
from time import monotonic, sleep

import numpy as np

from benchmarks.distant.processes import Roles, memory_mb, wait_for
from benchmarks.distant.report import Report
from benchmarks.distant.setting import SMALL_SAC, scratch, write_config

DAY = 24 * 3600 * 20
_NAMES = {
    "control (filler)": "distant.filler",
    "link": "worker.link_main",
    "nats-server": "nats-server -c",
    "trainer": "trainer.trainer",
    "train_trainer": "trainer.main",
    "train_server": "server.main",
}
_CAPACITY = 10_000
_WARM_UP = 0.3
"""Share of the samples until nothing grows any more: the replay memory is full, caches are."""
_GROWTH_MB = 10.0
"""Of a process over a whole day, as a line through what comes after the warm-up says."""


def run(report: Report, samples: float = DAY, rate: float = 10_000, timeout_s: float = 1500.0) -> None:
    """Measure; everything told goes to the report."""
    samples = int(samples)
    with scratch() as (disk, _), Roles(report.folder) as roles:
        config, path = write_config(
            disk, worker={"buffer_samples": _CAPACITY},
            trainer={"agent_kwargs": SMALL_SAC, "memory_size": 100_000, "batch_size": 32, "max_samples": samples,
                     "max_updates_per_sample": 0.001, "checkpoint_interval": 5.0, "epochs": 1000},
        )  # fmt: skip
        folder = disk / "filler"
        folder.mkdir()
        roles.start("server", "rtgym_ros.train.server.main", "--config", path)
        roles.start("trainer", "rtgym_ros.train.trainer.main", "--config", path)
        arguments = ("--config", path, "--name", "filler", "--folder", folder)
        roles.start("link", "rtgym_ros.train.worker.link_main", *arguments)
        # Slower than the trainer takes in: the stream keeps a replay memory, and deletes what was not read in time.
        wait_for((config.folder / "trainer" / "tensorboard").exists, 120, "the trainer is there")
        roles.start("filler", "benchmarks.distant.filler", folder, _CAPACITY, rate, samples)
        began, rows = monotonic(), []
        while roles.ended("trainer") is None and monotonic() < began + timeout_s:
            come = _samples(config.folder / "trainer" / "episodes.jsonl")
            rows.append({"seconds": monotonic() - began, "samples": come, "memory": _memory(roles)})
            sleep(1.0)
        seconds = monotonic() - began
        report.verdict("training ended by itself after a day's samples", roles.ended("trainer") == 0,
                       f"{rows[-1]['samples']} samples in {seconds:.0f} s")  # fmt: skip
        codes = {name: roles.stop(name) for name in ("filler", "link", "server") if name != "filler"}
        report.verdict("worker and server ended in their order", set(codes.values()) == {0}, str(codes))
        report.add(**{"memory over time": rows})
        _judge(report, rows, samples)


def _judge(report: Report, rows: list[dict], samples: int) -> None:
    table = []
    for name in _NAMES:
        line = [(row["samples"], *row["memory"][name]) for row in rows if name in row["memory"]]
        late = np.array([one for one in line if one[0] > _WARM_UP * samples], float).reshape(-1, 3)
        if len(late) < 10:
            continue
        rss, anonymous = (np.polyfit(late[:, 0] / DAY, late[:, column], 1)[0] for column in (1, 2))
        table.append({
            "process": name, "at first (MB)": float(line[0][1]), "after warm-up": float(late[0, 1]),
            "at the end": float(late[-1, 1]), "at most": float(late[:, 1].max()),
            "slope, RSS (MB a day)": float(rss), "slope, its own (MB a day)": float(anonymous),
        })  # fmt: skip
    report.table("memory (MB)", table)
    for row in table:
        slope = row["slope, its own (MB a day)"]
        report.verdict(f"{row['process']}: no growth", slope < _GROWTH_MB, f"{slope:+.2f} MB a day")


def _memory(roles: Roles) -> dict[str, tuple[float, float]]:
    found = {}
    for pid, line in roles.everything().items():
        name = next((name for name, text in _NAMES.items() if text in line), None)
        used = memory_mb(pid)
        if name is not None and used is not None:
            found[name] = used
    return found


def _samples(path) -> int:
    """Return how many samples had come at the last episode that was told."""
    try:
        with path.open("rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - 2000, 0))
            lines = [line for line in file.read().split(b"\n") if line.startswith(b"{") and line.endswith(b"}")]
    except OSError:
        return 0
    return json.loads(lines[-1])["samples"] if lines else 0
