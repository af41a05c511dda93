"""Four simulated workers publish batches of 100 as fast as they can; then at 100 Hz each, and nothing may be lost."""

from __future__ import annotations

import json
import signal
from time import monotonic, process_time, sleep

from benchmarks.distant.processes import Roles, cpu_s, memory_mb, wait_for
from benchmarks.distant.report import Report
from benchmarks.distant.setting import scratch, write_config
from benchmarks.distant.stub import Drain

WORKERS = 4
SYNCS = ("always", "10s")
_BATCH = 100
_CAPACITY = 10_000
_WARM_UP_S = 5.0
_TARGET = 10_000.0
_SERVER_MB = 600.0
"""What a server may come to whose stream is on disk: the limit that train_server gives it, and what is not Go's."""
SERVER = "nats-server -c"


def run(report: Report, seconds: float = 15.0, literal_s: float = 30.0, syncs=SYNCS, workers: float = WORKERS) -> None:
    """Measure; everything told goes to the report."""
    fast = [_case(report, sync, 0.0, seconds, int(workers)) for sync in syncs]
    report.table("as fast as it goes", fast)
    for row in fast:
        report.verdict(
            f"sync {row['sync']}: over {_TARGET:g} samples/s", row["taken /s"] > _TARGET, f"{row['taken /s']}"
        )
    literal = [_case(report, SYNCS[0], 100.0, literal_s, int(workers))] if literal_s else []
    if literal:
        report.table("workers at 100 Hz", literal)
    for row in (*fast, *literal):
        name = f"sync {row['sync']}, {row['written']} samples"
        counts = row["written"] == row["taken"] and row["wrong"] == 0
        report.verdict(f"{name}: nothing lost and none twice", counts)
        report.verdict(f"{name}: memory bounded", row["server (MB)"] < _SERVER_MB, f"{row['server (MB)']:.0f} MB")


def _case(report: Report, sync: str, rate: float, seconds: float, workers: int) -> dict:
    with scratch() as (disk, _), Roles(report.folder) as roles:
        config, path = write_config(
            disk, worker={"push_samples": _BATCH, "buffer_samples": _CAPACITY}, server={"sync_interval": sync},
            trainer={"memory_size": 10_000_000},
        )  # fmt: skip
        roles.start("server", "rtgym_ros.train.server.main", "--config", path)
        with Drain(config) as drain:
            names = [f"filler{number}" for number in range(workers)]
            for name in names:
                _start_worker(roles, disk, path, name, rate)
            wait_for(lambda: len(drain.next_seq) == workers, 90, "all workers have come")
            sleep(_WARM_UP_S)
            before, began, taken, batches = _look(roles, names), monotonic(), drain.taken, drain.batches
            sleep(seconds)
            after = _look(roles, names)
            passed, taken, batches = monotonic() - began, drain.taken - taken, drain.batches - batches
            written = _end_workers(roles, report, names)
            # Now all of them have ended in their order: what is missing is lost.
            wait_for(lambda: drain.taken >= sum(written) or drain.wrong, 60, "the learner has everything")
            sleep(0.2)
        if drain.wrong:
            report.say(f"sync {sync}: {drain.wrong[:3]}")
        return {
            "sync": sync,
            "taken /s": round(taken / passed),
            "samples a message": round(taken / max(batches, 1)),
            "written": sum(written),
            "taken": sum(drain.total(name) for name in names),
            "wrong": len(drain.wrong) + drain.dropped,
            "growth (MB)": after[0] - before[0],
            "server (MB)": after[0],
            **{f"{who} (us)": 1e6 * (after[1][who] - before[1][who]) / max(taken, 1) for who in after[1]},
        }


def _start_worker(roles: Roles, disk, path, name: str, rate: float) -> None:
    folder = disk / name
    folder.mkdir()
    roles.start(name, "benchmarks.distant.filler", folder, _CAPACITY, rate, 0)
    roles.start(
        f"{name}-link", "rtgym_ros.train.worker.link_main", "--config", path, "--name", name, "--folder", folder
    )


def _end_workers(roles: Roles, report: Report, names: list[str]) -> list[int]:
    """End the fillers, then the links, which publish what is left; return how many samples were written."""
    for name in names:
        assert roles.stop(name) == 0, f"{name} failed"
    for name in names:
        roles.signal(f"{name}-link", signal.SIGTERM)
    for name in names:
        assert roles.stop(f"{name}-link") == 0, f"{name}-link failed"
    said = [(report.folder / f"{name}.log").read_text().splitlines()[-1] for name in names]
    return [json.loads(line)["written"] for line in said]


def _look(roles: Roles, names: list[str]) -> tuple[float, dict[str, float]]:
    """Return the server's memory (MB), and the CPU time of everybody (s)."""
    (pid,) = roles.find(SERVER)
    used = memory_mb(pid)
    fillers, links = (sum(cpu_s(roles.pid(f"{name}{end}")) for name in names) for end in ("", "-link"))
    cpu = {"fillers": fillers, "links": links, "server": cpu_s(pid), "learner": process_time()}
    return (used[0] if used else 0.0), cpu
