"""Several environments at once: a thread each in one process, or a process each."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from threading import local
from typing import Any

from benchmarks.programs.entry import run
from benchmarks.programs.stepping import SteppedEnvironment, package_of

_START_TIMEOUT_S = 60.0
_worker = local()


def many(
    peer: str, number: int, in_processes: bool, period_ns: int, seconds: float, warm_up_s: float
) -> dict[str, Any]:
    """Return ``{"sends": [[ns, ...] for each], "timeouts", "cpu_percent"}``, of all of them together."""
    package_of(peer)
    context = multiprocessing.get_context("fork")  # what is imported need not be imported again in each of them
    start = context.Barrier(number)
    task = (peer, period_ns, seconds, warm_up_s)
    if in_processes:
        with context.Pool(number, _meet_at, (start,)) as pool:
            recorded = pool.starmap(_one, [task] * number, chunksize=1)
    else:
        with ThreadPoolExecutor(number, initializer=_meet_at, initargs=(start,)) as threads:
            recorded = list(threads.map(_one, *zip(*[task] * number, strict=True)))
    shares = [100 * one["cpu_ns"] / one["wall_ns"] for one in recorded]
    return {
        "sends": [one["sends"] for one in recorded],
        "timeouts": sum(one["timeouts"] for one in recorded),
        # In one process each of them has seen the time that all have used.
        "cpu_percent": sum(shares) if in_processes else sum(shares) / number,
    }


def _meet_at(start: Barrier) -> None:
    """Tell a thread or a process where it waits for the others."""
    _worker.start = start


def _one(peer: str, period_ns: int, seconds: float, warm_up_s: float) -> dict[str, Any]:
    """Make an environment, wait for the others, and step it. Each thread or process gets one."""
    environment = SteppedEnvironment(peer, period_ns, seconds + warm_up_s)
    _worker.start.wait(_START_TIMEOUT_S)
    environment.reset()
    recorded = environment.record(seconds, warm_up_s)
    environment.close()
    return recorded


if __name__ == "__main__":
    run(many)
