"""Four simulated workers push as fast as they can, over every link; then at 100 Hz each, and nothing may be lost."""

from __future__ import annotations

import json
import signal
from time import monotonic, sleep

from benchmarks.distant.processes import Roles, cpu_s, memory_mb, wait_for
from benchmarks.distant.report import Report
from benchmarks.distant.setting import scratch, write_config
from benchmarks.distant.stub import Drain, client_of, status

WORKERS = 4
LINKS = ("unix", "zenoh", "zenoh+ray", "ray")
_BATCH = 100
_CAPACITY = 10_000
_WARM_UP_S = 5.0
_TARGET = 10_000.0
_GROWTH_MB = 50.0
"""What a server that holds nothing may still come to in a short run: its queue is on disk."""
SERVERS = {"server actor": "ray::ServerActor", "gateway": "server.gateway", "server": "train.server.main"}


def run(report: Report, seconds: float = 15.0, literal_s: float = 30.0, links=LINKS) -> None:
    """Measure; everything told goes to the report."""
    fast = [_case(report, link, 0.0, seconds) for link in links]
    report.table("as fast as it goes", fast)
    for row in fast:
        both = min(row["taken in /s"], row["taken by the trainer /s"])
        report.verdict(f"{row['link']}: over {_TARGET:g} samples/s", both > _TARGET, f"{both}")
    literal = [_case(report, link, 100.0, literal_s) for link in ("zenoh+ray", "ray") if link in links]
    if literal:
        report.table("4 workers at 100 Hz", literal)
    for row in (*fast, *literal):
        name = f"{row['link']}, {row['written']} samples"
        counts = row["written"] == row["taken in"] == row["taken"] and row["wrong"] == 0
        report.verdict(f"{name}: nothing lost and none twice", counts)
        report.verdict(f"{name}: memory bounded", row["growth (MB)"] < _GROWTH_MB, f"{row['growth (MB)']:+.1f} MB")


def _case(report: Report, link: str, rate: float, seconds: float) -> dict:
    with scratch() as (disk, _), Roles(report.folder) as roles:
        config, path = write_config(disk, link, worker={"push_samples": _BATCH, "buffer_samples": _CAPACITY})
        roles.start("server", "rtgym_ros.train.server.main", "--config", path)
        with client_of(roles, config, path) as client:
            wait_for(lambda: status(client), 90, f"the server answers over {link}")
            with Drain(client) as drain:
                names = [f"filler{number}" for number in range(WORKERS)]
                for name in names:
                    _start_worker(roles, disk, path, name, rate)
                wait_for(lambda: len(drain.next_seq) == WORKERS, 90, "all workers have come")
                sleep(_WARM_UP_S)
                before = _look(roles)
                began, taken_in, taken = monotonic(), drain.end, drain.position
                sleep(seconds)
                after = _look(roles)
                passed, taken_in, taken = monotonic() - began, drain.end - taken_in, drain.position - taken
                written = _end_workers(roles, report, names)
                # Now all of them have ended in their order: what is missing is lost.
                wait_for(lambda: drain.position >= sum(written) or drain.wrong, 60, "the trainer has everything")
                sleep(0.2)
            end = status(client)
            assert end is not None
        growth = max(after[name][0] - before[name][0] for name in before if name in after)
        row = {
            "link": link,
            "taken in /s": round(taken_in / passed),
            "taken by the trainer /s": round(taken / passed),
            "written": sum(written),
            "taken in": sum(worker.samples for worker in end.workers),
            "taken": sum(drain.total(name) for name in names),
            "wrong": len(drain.wrong) + sum(worker.dropped for worker in end.workers),
            "growth (MB)": growth,
            **{f"{name} (MB)": after.get(name, (0.0,))[0] for name in SERVERS},
            **{f"{name} CPU (%)": 100 * (after[name][1] - before[name][1]) / passed if name in after else 0.0
               for name in SERVERS},
        }  # fmt: skip
        if drain.wrong:
            report.say(f"{link}: {drain.wrong[:3]}")
        return row


def _start_worker(roles: Roles, disk, path, name: str, rate: float) -> None:
    folder = disk / name
    folder.mkdir()
    roles.start(name, "benchmarks.distant.filler", folder, _CAPACITY, rate, 0)
    roles.start(
        f"{name}-link", "rtgym_ros.train.worker.link_main", "--config", path, "--name", name, "--folder", folder
    )


def _end_workers(roles: Roles, report: Report, names: list[str]) -> list[int]:
    """End the fillers, then the links, which drain; return how many samples were written."""
    for name in names:
        assert roles.stop(name) == 0, f"{name} failed"
    for name in names:
        roles.signal(f"{name}-link", signal.SIGTERM)
    for name in names:
        assert roles.stop(f"{name}-link") == 0, f"{name}-link failed"
    said = [(report.folder / f"{name}.log").read_text().splitlines()[-1] for name in names]
    return [json.loads(line)["written"] for line in said]


def _look(roles: Roles) -> dict[str, tuple[float, float]]:
    """Return memory (MB) and CPU time (s) of what serves."""
    found = {}
    for name, text in SERVERS.items():
        for pid in roles.find(text):
            used = memory_mb(pid)
            if used is not None:
                found[name] = (used[0], cpu_s(pid))
    return found
