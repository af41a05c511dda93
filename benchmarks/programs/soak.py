"""One environment for a long time: what it holds of memory, and whether its grid stays where it was."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter_ns, process_time_ns
from typing import Any

import gymnasium
import numpy as np

from benchmarks.peers import ENVIRONMENTS
from benchmarks.programs.entry import run
from benchmarks.programs.stamping_interface import stamping_interface
from benchmarks.programs.stepping import package_of

_PAGE_KB = 4
_SAMPLES = 120
"""How often memory is looked at in a run."""


class LastStamp:
    """Holds one time: what is written down over and over must not grow itself."""

    def __init__(self) -> None:
        self.time_ns = 0

    def stamp(self) -> None:
        """Write down that it is now."""
        self.time_ns = perf_counter_ns()

    def put(self, time_ns: int) -> None:
        """Write down ``time_ns``."""
        self.time_ns = time_ns


class ShortDiary:
    """What the interface writes into."""

    def __init__(self) -> None:
        self.sends, self.captures, self.due = LastStamp(), LastStamp(), LastStamp()


def soak(peer: str, period_ns: int, seconds: float, warm_up_s: float) -> dict[str, Any]:
    """Return memory (kB) at equal intervals, and how late captures were in each.

    The clock never times out: what it is late it catches up, so that a drift of the grid could be seen.
    """
    package = package_of(peer)
    diary = ShortDiary()
    config = {
        **package.DEFAULT_CONFIG_DICT,
        "interface": stamping_interface(package.RealTimeGymInterface),
        "interface_args": (diary,),
        "time_step_duration": period_ns / 1e9,
        "start_obs_capture": period_ns / 1e9,
        "time_step_timeout_factor": 1e6,
        **ENVIRONMENTS[peer].config,
    }
    env = gymnasium.make(ENVIRONMENTS[peer].env_id, config=config)
    env.reset()
    action = np.zeros(2, np.float32)
    for _ in range(max(round(1e9 * warm_up_s / period_ns), 1)):
        env.step(action)
    steps = max(round(1e9 * seconds / period_ns / _SAMPLES), 1)
    memory_kb = np.zeros(_SAMPLES)
    lateness_ns = np.ones((_SAMPLES, steps), np.int32)  # in memory before it is needed
    origin_ns, cpu_began_ns = diary.captures.time_ns, process_time_ns()
    for sample in range(_SAMPLES):
        row, first = lateness_ns[sample], sample * steps + 1
        for step in range(steps):
            env.step(action)
            row[step] = min(diary.captures.time_ns - origin_ns - (first + step) * period_ns, 2**31 - 1)
        memory_kb[sample] = resident_kb()
    wall_ns = perf_counter_ns() - origin_ns
    cpu_ns = process_time_ns() - cpu_began_ns
    env.unwrapped.stop()
    env.close()
    return {
        "memory_kb": memory_kb.tolist(),
        "lateness_ns": np.median(lateness_ns, axis=1).tolist(),
        "lateness_max_ns": int(lateness_ns.max()),
        "time_steps": steps * _SAMPLES,
        "cpu_ns": cpu_ns,
        "wall_ns": wall_ns,
    }


def resident_kb() -> int:
    """Return what the process has in memory (kB)."""
    return _PAGE_KB * int(Path("/proc/self/statm").read_text().split()[1])


if __name__ == "__main__":
    run(soak)
