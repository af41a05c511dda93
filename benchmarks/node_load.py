"""What a busy node costs its clock: ``python -m benchmarks.node_load``, on an idle machine.

An environment under a contract flies the simulated drone at 100 and at 500 Hz; its node, served by one executor, has a
subscription and a service of the user's besides. In turns the node is left alone, and loaded by another process
(:mod:`benchmarks.programs.node_load`): a topic at 1 kHz, services called 20 times a second, parameters set 5 times. The
figure is the p99 of how far the intervals between sends are from the period, loaded over alone: at most 1.2.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import warnings
from time import monotonic
from typing import Any

import gymnasium
import numpy as np
from geometry_msgs.msg import PoseStamped
from std_srvs.srv import Trigger

import rtgym_ros  # noqa: F401  (registers the environments)
from benchmarks.programs.node_load import SERVICE, TOPIC, TOPIC_QOS
from rtgym_ros.core.errors import TimeStepTimeoutWarning
from rtgym_ros.nodes.robot_process import RobotProcess

AT_MOST = 1.2
SETTLE_S = 1.0
"""Of a turn, what does not count (s)."""

ACTION = np.zeros(2, np.float32)


class Load:
    """The other process, while entered."""

    def __init__(self, node: str) -> None:
        self._command = [sys.executable, "-m", "benchmarks.programs.node_load", node]
        self.told = ""

    def __enter__(self) -> Load:
        """Start it."""
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        try:
            self.told = self._process.communicate(timeout=30.0)[0].strip()
        finally:
            self._process.kill()
            self._process.wait()


def deviations(env: Any, period: float, seconds: float) -> np.ndarray[Any, Any]:
    """Fly for some time; return how far the intervals between sends are from the period (us)."""
    starts = []
    begin = monotonic() + SETTLE_S
    while monotonic() < begin + seconds:
        *_, info = env.step(ACTION)
        if monotonic() > begin:
            starts.append(float(info["time_step_start"]))
    return 1e6 * np.abs(np.diff(starts) - period)


def measure(rate: float, turns: int, seconds: float, **entries: Any) -> float:
    """Measure in turns at one rate, print a row, and return the ratio of the p99."""
    namespace, period = f"/node_load_{os.getpid()}", 1.0 / rate
    config = {
        "time_step_duration": period,
        "start_obs_capture": period,
        "ep_max_length": float("inf"),
        "act_buf_len": round(0.2 * rate),
        **entries,
    }
    got = [0]

    def count(_message: Any) -> None:
        got[0] += 1

    def answer(_request: Any, response: Any) -> Any:
        response.success = True
        return response

    alone, loaded, told = [], [], ""
    with (
        RobotProcess("drone_node", namespace, ("seed:=7",)),
        gymnasium.make(
            "rtgym_ros/Contract-v0", contract="drone", namespace=namespace, node_name="env", config=config
        ) as env,
    ):
        node = env.unwrapped.interface.node
        node.create_subscription(PoseStamped, f"~/{TOPIC}", count, TOPIC_QOS)
        node.create_service(Trigger, f"~/{SERVICE}", answer)
        env.reset(seed=1)
        deviations(env, period, SETTLE_S)
        for _ in range(turns):
            env.reset(seed=1)
            alone.append(deviations(env, period, seconds))
            got[0], began = 0, monotonic()
            with Load(f"{namespace}/env") as load:
                while not got[0]:
                    env.step(ACTION)
                    assert monotonic() - began < 30.0, "the load does not come"
                env.reset(seed=1)
                loaded.append(deviations(env, period, seconds))
            told = load.told
    p50 = [float(np.percentile(np.concatenate(every), 50)) for every in (alone, loaded)]
    p99 = [float(np.percentile(np.concatenate(every), 99)) for every in (alone, loaded)]
    ratios = [np.percentile(on, 99) / np.percentile(off, 99) for off, on in zip(alone, loaded, strict=True)]
    print(
        f"| {rate:g} | {p50[0]:.1f} | {p50[1]:.1f} | {p99[0]:.1f} | {p99[1]:.1f} | {p99[1] / p99[0]:.2f} | "
        f"{np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | {got[0]} messages; {told} |",
        flush=True,
    )
    return float(np.median(ratios))


def main() -> int:
    """Measure and print a table; return 1 where the load is felt more than it should be."""
    parser = argparse.ArgumentParser("python -m benchmarks.node_load", description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=6, help="alone and loaded each (%(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of a turn (%(default)s)")
    parser.add_argument("--rates", type=float, nargs="+", default=[100.0, 500.0], help="of the time-steps, in Hz")
    parser.add_argument("--switch-interval", type=float, default=1e-4, help="of the environment, in s (%(default)s)")
    parser.add_argument("--priority", type=int, help="of SCHED_FIFO for the clock thread alone, 1 to 99")
    options = parser.parse_args()
    warnings.simplefilter("ignore", TimeStepTimeoutWarning)
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    print("| time-steps (Hz) | jitter p50 alone (µs) | loaded | p99 alone | loaded | ratio | of the turns | the load |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    entries = {"switch_interval": options.switch_interval, "realtime_priority": options.priority}
    ratios = [measure(rate, options.turns, options.seconds, **entries) for rate in options.rates]
    return int(max(ratios) > AT_MOST)


if __name__ == "__main__":
    sys.exit(main())
