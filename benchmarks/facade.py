"""What an agent behind ``env_node`` pays: ``python -m benchmarks.facade``, on an idle machine.

The simulated drone at 50 Hz. **Extra delay**: an agent that answers after the end of each time-step, so that its
action is sent as soon as it is there, flies in its own process and through ``env_node``, turn and turn about; the delay
is from its call of ``step()`` to the send, on the machine's one monotonic clock. Extra is the p99 through the node less
that in one process. **Late actions**: then an agent that answers at once flies through the node for ``--seconds``.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import gymnasium
import numpy as np

import rtgym_ros  # noqa: F401  (registers the environments)
from rtgym_ros.core.errors import TimeStepTimeoutWarning
from rtgym_ros.nodes.robot_process import RobotProcess

PERIOD_S = 0.02
LATE_BY_S = 0.005
"""How long after the end of its time-step the slow agent answers (s); the elasticity is a time-step."""

EXTRA_S = 0.0015
"""Bound of the extra delay."""

CONTRACT = "drone"
ACTION = np.zeros(2, np.float32)


@contextmanager
def in_process(namespace: str) -> Iterator[Any]:
    """The environment with its clock in this process."""
    config = {"time_step_duration": PERIOD_S, "start_obs_capture": PERIOD_S, "ep_max_length": float("inf")}
    with gymnasium.make("rtgym_ros/Contract-v0", contract=CONTRACT, namespace=namespace, config=config) as env:
        yield env


@contextmanager
def through_node(namespace: str) -> Iterator[Any]:
    """The environment with its clock in an env_node."""
    parameters = (f"time_step_duration:={PERIOD_S}", "ep_max_length:=0")
    with (
        RobotProcess("env_node", namespace, parameters, arguments=[CONTRACT]),
        gymnasium.make("rtgym_ros/Contract-v0", contract=CONTRACT, node=f"{namespace}/env", node_timeout=30.0) as env,
    ):
        yield env


def delays_of_late_actions(env: Any, seconds: float) -> np.ndarray[Any, Any]:
    """Return how long each action took from ``step()`` to its send (s), of an agent that answers too late."""
    env.reset(seed=1)
    called, sent = [], []
    end = monotonic() + seconds
    is_over = False
    while monotonic() < end:
        if is_over:
            env.reset(seed=1)
        sleep(PERIOD_S + LATE_BY_S)
        called.append(monotonic())
        *_, terminated, truncated, info = env.step(ACTION)
        is_over = terminated or truncated
        sent.append(float(info["time_step_start"]))
    # A step() tells of the time-step that is over: the action before it has begun that one.
    delays = np.array(sent[1:]) - np.array(called[:-1])
    return delays[delays >= 0.0]  # but for the action after a reset, which follows on the default action


def late_actions(env: Any, seconds: float) -> tuple[int, int, int, int]:
    """Return how many time-steps an agent that answers at once flew, and how many were late, over or timed out."""
    _, info = env.reset(seed=1)
    before, steps, overruns, timeouts = info["late_actions"], 0, 0, 0
    end = monotonic() + seconds
    while monotonic() < end:
        *_, terminated, truncated, info = env.step(ACTION)
        steps += 1
        overruns += info["time_step_overrun"] == 1
        timeouts += info["time_step_timed_out"] == 1
        if terminated or truncated:
            env.reset()
    return steps, int(info["late_actions"] - before), overruns, timeouts


def main() -> int:
    """Measure and print both tables; return 1 where an action was late, or the extra delay is beyond its bound."""
    parser = argparse.ArgumentParser("python -m benchmarks.facade", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3600.0, help="that the prompt agent flies (%(default)s)")
    parser.add_argument("--turns", type=int, default=5, help="of the slow agent, each way (%(default)s)")
    parser.add_argument("--turn-seconds", type=float, default=10.0, help="of each of them (%(default)s)")
    options = parser.parse_args()
    warnings.simplefilter("ignore", TimeStepTimeoutWarning)
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    namespace = f"/facade_{os.getpid()}"
    with RobotProcess("drone_node", namespace, ("seed:=7",)):
        p99 = _compare(namespace, options.turns, options.turn_seconds)
        print(
            f"extra delay of an action, p99: {1e3 * (p99[1] - p99[0]):.2f} ms (at most {1e3 * EXTRA_S:g})\n", flush=True
        )
        with through_node(namespace) as env:
            steps, late, overruns, timeouts = late_actions(env, options.seconds)
    print(f"{steps} time-steps of {1e3 * PERIOD_S:g} ms: {late} late actions, {overruns} overruns, {timeouts} timeouts")
    return int(late > 0 or p99[1] - p99[0] > EXTRA_S)


def _compare(namespace: str, turns: int, seconds: float) -> list[float]:
    """Print what the delays were, in one process and through the node; return the p99 of each (s)."""
    ways = {"in one process": in_process, "through `env_node`": through_node}
    found: dict[str, list[np.ndarray[Any, Any]]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, make in ways.items():
            with make(namespace) as env:
                found[name].append(delays_of_late_actions(env, seconds))
    print("| from `step()` to the send (ms) | actions | p50 | p99 | longest |")
    print("| --- | --- | --- | --- | --- |")
    p99 = []
    for name, delays in found.items():
        every = np.concatenate(delays)
        p99.append(float(np.percentile(every, 99)))
        figures = [1e3 * figure for figure in (np.percentile(every, 50), p99[-1], every.max())]
        print(f"| {name} | {len(every)} |", " | ".join(f"{figure:.2f}" for figure in figures), "|")
    return p99


if __name__ == "__main__":
    sys.exit(main())
