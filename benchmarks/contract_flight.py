"""What a capture and a send cost in a real flight by a contract, where caches are cold: once every 50 ms.

    ./dev shell -c "python -m benchmarks.contract_flight [TIME_STEPS]"

A ``drone_node`` flies in a process of its own, an agent steps ``rtgym_ros/Drone-v0``. Wall time is what the robot
feels, CPU time of the clock thread what is left of it on a machine that does nothing else.
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import Any

os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

import gymnasium
import numpy as np

import rtgym_ros  # noqa: F401
from rtgym_ros.nodes.drone_process import DroneProcess
from rtgym_ros.ros.contract_interface import ContractInterface
from rtgym_ros.ros.drone_env import CONTRACT

NAMESPACE = "/measured"
TARGET_US = 200
"""What a capture may take (wall time, median)."""

_WARM_UP = 20


class Timed(ContractInterface):
    """Notes how long each call took: wall and CPU time (ns), by its name."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.spent: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def prepare_capture(self) -> None:
        """See the base class."""
        self._timed("preparation", super().prepare_capture)

    def get_obs_rew_terminated_info(self) -> Any:
        """See the base class."""
        return self._timed("capture", super().get_obs_rew_terminated_info)

    def send_control(self, control: Any) -> None:
        """See the base class."""
        self._timed("send", super().send_control, control)

    def _timed(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        wall_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
        answer = function(*arguments)
        cpu_ns = time.thread_time_ns() - cpu_ns
        self.spent[name].append((time.perf_counter_ns() - wall_ns, cpu_ns))
        return answer


def measure(time_steps: int) -> dict[str, list[tuple[int, int]]]:
    """Return wall and CPU times (ns) of each call, by its name."""
    with DroneProcess(NAMESPACE, ("seed:=1",)):
        env = gymnasium.make(
            "rtgym_ros/Contract-v0",
            contract=CONTRACT,
            config={"ep_max_length": np.inf},
            namespace=NAMESPACE,
            interface=Timed,
        ).unwrapped
        with env:
            env.reset(seed=1)
            for number in range(_WARM_UP + time_steps):
                action = np.full(2, 0.5 if number % 2 else -0.5, np.float32)
                if env.step(action)[2]:
                    env.reset()
            return {name: spent[_WARM_UP:] for name, spent in env.interface.spent.items()}


def main() -> int:
    """Print the figures; return 1 where a capture takes longer than it may."""
    spent = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
    print(f"{'us':12s} {'wall p50':>9s} {'p90':>9s} {'CPU p50':>9s} {'calls':>6s}")
    for name, times in spent.items():
        wall, cpu = (sorted(each) for each in zip(*times, strict=True))
        figures = [median(wall), wall[9 * len(wall) // 10], median(cpu)]
        print(f"{name:12s}", *(f"{figure / 1e3:9.0f}" for figure in figures), f"{len(wall):6d}")
    return int(median(wall for wall, _ in spent["capture"]) > 1e3 * TARGET_US)


if __name__ == "__main__":
    sys.exit(main())
