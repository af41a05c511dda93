"""What exchange costs the robot: time-steps with it beside the same ones without, in turns, on one machine."""

from __future__ import annotations

from statistics import median

import numpy as np

from benchmarks.distant.drone import TRACE
from benchmarks.distant.processes import Roles, wait_for
from benchmarks.distant.report import Report
from benchmarks.distant.setting import drone, scratch, write_config
from benchmarks.distant.stepping import steps_of, timing
from benchmarks.distant.stub import Drain
from benchmarks.distant.trace import read_traces
from rtgym_ros.policies.weights import PolicyWeights

CASES = {"small samples, 50 Hz": (50.0, 0, 10_000), "2 MB images, 20 Hz": (20.0, 2_000_000, 200)}
"""Time-steps a second, bytes of image, samples of the ring."""
PEERS = ("standalone", "ring that nobody reads", "exchange")
_STEPS = 100
_PUBLISH_BYTES = 300_000
_TARGET_MS = 1.0
_ELSEWHERE = 15
"""Niceness of what is on other machines than the robot's: here there is only one."""


def run(report: Report, seconds: float = 20.0, repeats: float = 5, cases=tuple(CASES)) -> None:
    """Measure; everything told goes to the report."""
    wanted = {case: values for case, values in CASES.items() if any(case.startswith(begin) for begin in cases)}
    for case, (rate_hz, image_bytes, capacity) in wanted.items():
        found = _case(report, rate_hz, image_bytes, capacity, seconds, round(repeats))
        report.table(case, [{"who": peer, **_medians(found[peer])} for peer in PEERS])
        report.add(**{f"{case}: every repeat": found})
        _judge(report, case, found)


def _case(report: Report, rate_hz: float, image_bytes: int, capacity: int, seconds: float, repeats: int):
    found: dict[str, list[dict]] = {peer: [] for peer in PEERS}
    with scratch() as (disk, memory), Roles(report.folder) as roles:
        config, path = write_config(
            disk, drone(rate_hz=rate_hz, image_bytes=image_bytes, steps=_STEPS),
            worker={"policy": "benchmarks.distant.drone:TowardsTarget", "buffer_samples": capacity},
        )  # fmt: skip
        PolicyWeights("any", 0, {"any": np.zeros(1, np.float32)}, {}).save(disk / "policy.safetensors")
        roles.start("server", "rtgym_ros.train.server.main", "--config", path, nice=_ELSEWHERE)
        # It is there in all turns: what an idle server costs is not what exchange adds.
        with Drain(config, _PUBLISH_BYTES, _ELSEWHERE) as drain:
            for turn in range(repeats):
                for peer in (*PEERS[turn % 3 :], *PEERS[: turn % 3]):
                    traces = memory / f"{turn}-{PEERS.index(peer)}"
                    traces.mkdir()
                    episodes = max(round(seconds * rate_hz / _STEPS), 1)
                    _fly(roles, peer, path, disk / f"{turn}-{PEERS.index(peer)}", traces, episodes, 3 * seconds + 60)
                    found[peer].append(timing(np.concatenate([steps_of(one) for one in read_traces(traces)])))
                    for file in traces.glob("*.trace"):
                        file.unlink()
        if drain.wrong:
            report.verdict("every sample came once", False, drain.wrong[0])
        report.say(f"{drain.taken} samples were exchanged, {drain.dropped} given up")
    return found


def _fly(roles: Roles, peer: str, path, folder, traces, episodes: int, timeout_s: float) -> None:
    common = ("--config", path, "--episodes", episodes)
    if peer == "standalone":
        arguments = ("rtgym_ros.train.worker.main", *common, "--standalone", path.parent / "policy.safetensors")
    elif peer == "exchange":
        arguments = ("rtgym_ros.train.worker.main", *common, "--name", "w", "--folder", folder)
    else:
        arguments = ("rtgym_ros.train.worker.control", *common, "--name", "alone", "--folder", folder)
    name = f"worker, {peer}"
    one_thread = {f"{library}_NUM_THREADS": 1 for library in ("OPENBLAS", "OMP", "MKL")}  # as train_worker sees to
    roles.start(name, *arguments, **{TRACE: traces}, **one_thread)
    wait_for(lambda: roles.ended(name) is not None, timeout_s, f"{name} has flown", 0.2)
    if roles.ended(name) != 0:
        raise RuntimeError(f"{name} ended with code {roles.ended(name)}")


def _medians(repeats: list[dict]) -> dict:
    return {name: median(one[name] for one in repeats) for name in repeats[0]} | {
        "timeouts": sum(one["timeouts"] for one in repeats),
        "steps": sum(one["steps"] for one in repeats),
    }


def _judge(report: Report, case: str, found: dict[str, list[dict]]) -> None:
    ours, alone = _medians(found["exchange"]), _medians(found["standalone"])
    for figure in ("lateness p99", "own work p99"):
        added = ours[figure] - alone[figure]
        report.verdict(f"{case}: exchange adds under 1 ms to {figure}", added < _TARGET_MS, f"{added:+.3f} ms")
    report.verdict(f"{case}: no timeout", ours["timeouts"] == 0, f"{ours['timeouts']}; alone {alone['timeouts']}")
