"""One environment in one process, idle, with a busy thread beside it, or with an agent that works between two steps."""

from __future__ import annotations

from typing import Any

from benchmarks.programs.entry import run
from benchmarks.programs.loads import load, make_work
from benchmarks.programs.stepping import SteppedEnvironment


def steps(
    peer: str,
    period_ns: int,
    seconds: float,
    warm_up_s: float,
    load_name: str = "idle",
    elasticity: float = 1.0,
    work_name: str | None = None,
) -> dict[str, Any]:
    """Return what :meth:`SteppedEnvironment.record` does.

    ``load_name`` is done by a thread all the time, ``work_name`` by the agent before each action.
    """
    work = make_work(work_name) if work_name else None
    environment = SteppedEnvironment(peer, period_ns, seconds + warm_up_s, elasticity, work)
    with load(load_name):
        environment.reset()
        recorded = environment.record(seconds, warm_up_s)
    environment.close()
    return recorded


if __name__ == "__main__":
    run(steps)
