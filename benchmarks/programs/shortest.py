"""The shortest time-step that an environment sustains: a new environment for each rung of the ladder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.ladder import is_sustained, shortest_sustained
from benchmarks.programs.entry import run
from benchmarks.programs.stepping import SteppedEnvironment


def shortest(peer: str, ladder_ns: Sequence[int], seconds: float, warm_up_s: float) -> dict[str, Any]:
    """Return ``{"shortest_ns": period or None}``."""

    def sustains(period_ns: int) -> bool:
        environment = SteppedEnvironment(peer, period_ns, seconds + warm_up_s)
        environment.reset()
        recorded = environment.record(seconds, warm_up_s)
        environment.close()
        return is_sustained(recorded["sends"], period_ns, recorded["timeouts"])

    return {"shortest_ns": shortest_sustained(ladder_ns, sustains)}


if __name__ == "__main__":
    run(shortest)
