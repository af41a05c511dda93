"""Every process of a run is killed once while it trains, and nothing is lost but time."""

from __future__ import annotations

import json
import os
import signal
from time import monotonic, sleep, time_ns

import numpy as np

from benchmarks.distant.accounts import balance
from benchmarks.distant.drone import TRACE
from benchmarks.distant.processes import Roles, title, wait_for
from benchmarks.distant.report import Report
from benchmarks.distant.setting import SMALL_SAC, drone, scratch, write_config
from benchmarks.distant.stepping import steps_of, timeouts_alone, timing, within
from benchmarks.distant.trace import read_traces

VICTIMS = {
    "worker's link": "worker.link_main",
    "worker's control": "worker.control",
    "trainer": "trainer.trainer",
    "nats-server": "nats-server -c",
}
"""Who is killed, and how its process is found."""
_SERVER_KILLS = 20
_SERVER_KILLS_S = 60.0
_QUIET_S = 15.0  # before the first kill: what the others are compared with


def run(
    report: Report,
    rate_hz: float = 50.0,
    victims=tuple(VICTIMS),
    seconds: float = 330.0,
    quiet_s: float = _QUIET_S,
) -> None:
    """Measure; everything told goes to the report.

    Args:
        report: gets it.
        rate_hz: of the worker's time-steps.
        victims: who is killed, in this order; two may be the same.
        seconds: of flight after which training ends: long enough for all kills.
        quiet_s: before the first kill: what the others are compared with; 0 leaves time-steps out.
    """
    with scratch() as (disk, memory), Roles(report.folder) as roles:
        samples = round(rate_hz * seconds)
        config, path = write_config(
            disk, drone(rate_hz=rate_hz, steps=round(rate_hz)),
            trainer={"agent_kwargs": SMALL_SAC, "memory_size": 200_000, "batch_size": 32, "max_samples": samples,
                     "publish_interval": 25, "checkpoint_interval": 5.0, "epochs": 10_000,
                     "max_updates_per_sample": 0.5},
        )  # fmt: skip
        for name in ("worker", "twin"):
            (memory / name).mkdir()
        arguments = ("--config", path)
        roles.start("server", "rtgym_ros.train.server.main", *arguments)
        roles.start("trainer", "rtgym_ros.train.trainer.main", *arguments)
        roles.start("worker", "rtgym_ros.train.worker.main", *arguments, "--name", "w", **{TRACE: memory / "worker"})
        # The same environment and policy on the same machine at the same time, with a ring that nobody reads.
        twin = ("--name", "twin", "--folder", disk / "twin", "--expert")
        roles.start("twin", "rtgym_ros.train.worker.control", *arguments, *twin, **{TRACE: memory / "twin"})
        flow = _Flow(config.folder)
        wait_for(lambda: flow.has_come_round(-1, 0), 120, "the first weights have come round")
        began = monotonic()
        sleep(quiet_s)
        kills = [_kill(roles, flow, victim, report) for victim in victims]
        kills.append(_kill_server_often(roles, flow, report))
        report.say("all killed; now to the end of training")
        left_s = 3 * seconds - (monotonic() - began)
        wait_for(lambda: roles.ended("trainer") is not None, left_s, "training ends by itself", 0.5)
        report.verdict("training ended by itself at max_samples", roles.ended("trainer") == 0)
        codes = {name: roles.stop(name) for name in ("twin", "worker")}
        traces = read_traces(memory / "worker")
        accounts = balance(config, traces, killed_boots=victims.count("worker's control"))
        codes["server"] = roles.stop("server")
        report.verdict("worker and server ended in their order", set(codes.values()) == {0}, str(codes))
        for claim in accounts.claims:
            report.verdict(*claim)
        report.table("samples", [accounts.figures])
        report.table("kills", kills)
        spans = [(kill["at"], kill["at"] + kill["back after (s)"] + 1) for kill in kills]
        ours, twins = (
            np.concatenate([steps_of(one) for one in all_]) for all_ in (traces, read_traces(memory / "twin"))
        )
        if quiet_s:
            np.savez_compressed(report.folder / "steps.npz", worker=ours, twin=twins)
            _judge(report, ours, twins, spans, (began, began + quiet_s))


def _judge(report: Report, ours, twins, spans, quiet) -> None:
    rows = [
        {"who": who, "when": when, **timing(within(steps, span))}
        for when, span in (("before any kill", [quiet]), ("while it recovers from one", spans))
        for who, steps in (("worker", ours), ("twin without exchange", twins))
    ]
    report.table("time-steps (ms)", rows)
    if spans:
        worker, twin = rows[2:]
        difference = worker["lateness p99"] - twin["lateness p99"]
        report.verdict("step timing did not notice: p99 of lateness within 1 ms of the twin's", difference < 1.0,
                       f"{difference:+.3f} ms")  # fmt: skip
        report.verdict(
            "no time-step timed out", worker["timeouts"] == 0, f"{worker['timeouts']}, twin {twin['timeouts']}"
        )
        alone, twin_alone = timeouts_alone(ours, twins), timeouts_alone(twins, ours)
        report.verdict("no more timeouts than the twin's, of those in which the machine did not hold up both",
                       alone <= twin_alone, f"{alone}, twin {twin_alone}")  # fmt: skip


class _Flow:
    """Tells when a sample has gone all the way to the trainer, and weights all the way back."""

    def __init__(self, folder) -> None:
        self._episodes = folder / "trainer" / "episodes.jsonl"

    def version(self) -> int:
        return max((one["version"] for one in self._read()), default=-1)

    def has_come_round(self, version: int, after_ns: int) -> bool:
        """Whether an episode that ended after ``after_ns`` was flown with weights newer than ``version``."""
        return any(one["version"] > version and one["stamp_ns"] > after_ns for one in self._read())

    def _read(self) -> list[dict]:
        if not self._episodes.exists():
            return []
        return [json.loads(line) for line in self._episodes.read_text().splitlines() if line.endswith("}")]


def _kill(roles: Roles, flow: _Flow, victim: str, report: Report) -> dict:
    (pid,) = [one for one in roles.find(VICTIMS[victim]) if one != roles.pid("twin")]
    # Weights that were on their way at the kill do not count: three versions are published at most in that time.
    version, began, began_ns = flow.version() + 3, monotonic(), time_ns()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: title(pid) == "", 10, f"{victim} is dead")
    wait_for(
        lambda: flow.has_come_round(version, began_ns) or roles.ended("trainer") is not None,
        120,
        f"samples and weights come round after {victim} was killed",
        0.1,
    )
    if roles.ended("trainer") is not None:
        raise TimeoutError(f"training came to its end before it was back from {victim}: this machine is too slow")
    back_s = monotonic() - began
    report.say(f"{victim} (pid {pid}) killed; weights made of samples that came later fly after {back_s:.1f} s")
    sleep(2.0)
    return {"who": victim, "back after (s)": back_s, "at": began}


def _kill_server_often(roles: Roles, flow: _Flow, report: Report) -> dict:
    """Kill the server so often in a minute that it hardly runs."""
    began, began_ns, version, kills = monotonic(), time_ns(), flow.version() + 3, 0
    while kills < _SERVER_KILLS and monotonic() < began + 2 * _SERVER_KILLS_S:
        for pid in roles.find(VICTIMS["nats-server"]):
            os.kill(pid, signal.SIGKILL)
            kills += 1
        sleep(_SERVER_KILLS_S / _SERVER_KILLS)
    ended = monotonic()
    often = kills >= _SERVER_KILLS and ended - began < 1.1 * _SERVER_KILLS_S
    report.verdict(
        f"nats-server was killed {_SERVER_KILLS} times in a minute", often, f"{kills}, {ended - began:.0f} s"
    )
    wait_for(
        lambda: flow.has_come_round(version, began_ns) or roles.ended("trainer") is not None,
        120, "samples and weights come round after the server was killed often", 0.1,
    )  # fmt: skip
    report.say(
        f"nats-server killed {kills} times in {ended - began:.0f} s; back {monotonic() - ended:.1f} s after that"
    )
    return {"who": f"nats-server, {kills} times", "back after (s)": monotonic() - began, "at": began}
