"""One environment in one process, idle or with a busy thread beside it."""

from __future__ import annotations

from typing import Any

from benchmarks.programs.entry import run
from benchmarks.programs.loads import load
from benchmarks.programs.stepping import SteppedEnvironment


def steps(
    peer: str, period_ns: int, seconds: float, warm_up_s: float, load_name: str = "idle", elasticity: float = 1.0
) -> dict[str, Any]:
    """Return what :meth:`SteppedEnvironment.record` does."""
    environment = SteppedEnvironment(peer, period_ns, seconds + warm_up_s, elasticity)
    with load(load_name):
        environment.reset()
        recorded = environment.record(seconds, warm_up_s)
    environment.close()
    return recorded


if __name__ == "__main__":
    run(steps)
