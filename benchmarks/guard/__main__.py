"""``python -m benchmarks.guard``: what commands a robot dies beside its guard; how soon is it safe, and for how long?

Robot (``drive_node``), guard and agent are processes of their own; the robot writes down what it receives, in its own
clock. In each trial the agent drives the robot at 20 Hz, then it is killed (SIGKILL), stopped (SIGSTOP), hangs in an
endless loop, or (``--cut``, as root) the network between it and the guard is cut; or ``env_node`` drives the robot for
an agent behind it, and is killed while that agent lives. The silence is the time from the last command to the first
safe action, which should be within the guard's timeout and 50 ms. From then on the safe action should come at the rate
of the commands: the rate is that of the next twenty, the longest gap the longest between two of them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from benchmarks.guard.trial import CUT, ENV_NODE, RATE_HZ, TIMEOUT_S, WAYS, Scene, Trial, run_trial

sys.path.insert(0, str(Path(__file__).parents[2] / "test" / "ros"))
from guard.cut_link import ENVIRONMENT, CutLink, why_not
from guard.scene import DriveProcess, GuardProcess, wait_until, write_contract

WITHIN_S = 0.05
LEAST_RATE = 0.95
"""Of the rate of the commands: less is not that rate."""

FIFO = ("chrt", "-f", "40")


def main() -> int:
    """Run the trials and print a table; return 1 if the robot was not safe in time, or not for long, in one of them."""
    options = _parse()
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    if options.cut:
        os.environ.update(ENVIRONMENT)
    namespace = f"/benchmark_{os.getpid()}"
    found: dict[str, list[Trial]] = {way: [] for way in options.ways}
    with ExitStack() as stack:
        # In memory: the robot writes down each command, and a disk that is busy would hold up the robot.
        in_memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=in_memory)))
        log = folder / "truth.jsonl"
        link = stack.enter_context(CutLink()) if options.cut else None
        before = (*(link.at_robot if link is not None else ()), *(FIFO if options.fifo else ()))
        contract = write_contract(folder)
        stack.enter_context(DriveProcess(namespace, log, before))
        guard = stack.enter_context(GuardProcess(contract, namespace, before=before))
        wait_until(log.exists)
        scene = Scene(namespace, contract, log, link)
        with suppress(KeyboardInterrupt):  # report the trials made so far
            for number in range(options.trials):
                for way in found:
                    found[way].append(run_trial(way, scene))
                    assert guard.exit_code is None, "the guard has ended"
                if (number + 1) % 10 == 0:
                    print(f"{number + 1} trials of each", file=sys.stderr, flush=True)
    return _report({way: trials for way, trials in found.items() if trials})


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.guard", description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=100, help="of each way to die (100)")
    parser.add_argument(
        "--cut", action="store_true", help="agents and robot in network namespaces, over UDP; cut the network, too"
    )
    parser.add_argument("--ways", nargs="+", choices=(*WAYS, CUT), help="some of them (all)")
    parser.add_argument("--fifo", action="store_true", help="robot and guard under SCHED_FIFO, by chrt; root is needed")
    options = parser.parse_args()
    reason = why_not() if options.cut else ""
    if reason:
        parser.error(f"--cut: {reason}")
    if options.ways is None:
        options.ways = [*WAYS, *([CUT] if options.cut else [])]
    if CUT in options.ways and not options.cut:
        parser.error(f"--ways {CUT!r} goes with --cut")
    return options


def _report(found: dict[str, list[Trial]]) -> int:
    headings = ("trials", "in time", "silence: median (ms)", "max", "at the rate", "rate: median (Hz)", "least")
    print("| what |", " | ".join(headings), "| longest gap (ms) |")
    print("| --- |" + " --- |" * (len(headings) + 1))
    failed = 0
    for way, trials in found.items():
        silences, rates = [trial.silence for trial in trials], [trial.rate for trial in trials]
        in_time = sum(silence <= TIMEOUT_S + WITHIN_S for silence in silences)
        kept = sum(rate >= LEAST_RATE * RATE_HZ for rate in rates)
        failed += 2 * len(trials) - in_time - kept
        longest = max(trial.longest_gap for trial in trials)
        print(
            f"| {_NAMES[way]} | {len(trials)} | {in_time} | {1e3 * statistics.median(silences):.1f} | "
            f"{1e3 * max(silences):.1f} | {kept} | {statistics.median(rates):.2f} | {min(rates):.2f} | "
            f"{1e3 * longest:.1f} |"
        )
    return 1 if failed else 0


_NAMES = {
    "killed": "agent killed",
    "stopped": "agent stopped",
    "loops": "agent in an endless loop",
    ENV_NODE: "`env_node` killed, its agent alive",
    CUT: "network of the agent cut",
}


if __name__ == "__main__":
    sys.exit(main())
