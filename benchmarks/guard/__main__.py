"""``python -m benchmarks.guard``: agents die beside a guard; when does the robot get the safe action, and at what rate?

Robot (``drive_node``), guard and agent are processes of their own; the robot writes down what it receives, in its own
clock. In each trial the agent drives the robot at 20 Hz, then it is killed (SIGKILL), stopped (SIGSTOP), hangs in an
endless loop, or (``--cut``, as root) the network between it and the guard is cut. The silence is the time from its last
command to the first safe action, which should be within the guard's timeout and 50 ms; the safe action should then come
again and again: the gaps of the next ten are measured.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import statistics
import sys
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "test" / "ros"))
from guard.agent import main as drive
from guard.cut_link import ENVIRONMENT, CutLink, why_not
from guard.scene import DriveProcess, GuardProcess, received, wait_until, write_contract

TIMEOUT_S, WITHIN_S = 0.2, 0.05
WAYS = ("killed", "stopped", "loops")
CUT = "cut off"
SAFE = (0.0, 0.0)
REPEATS = 11
_PR_SET_PDEATHSIG = 1
"""Of linux/prctl.h."""


@dataclass(frozen=True)
class Trial:
    """What came of one agent.

    Attributes:
        silence: from its last command to the first safe action (s).
        gaps: between the safe actions that follow (s).
    """

    silence: float
    gaps: list[float]


def main() -> int:
    """Run the trials and print a table; return 1 if the robot was stopped too late in one of them."""
    parser = argparse.ArgumentParser("python -m benchmarks.guard", description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=100, help="of each way to die (100)")
    parser.add_argument(
        "--cut", action="store_true", help="agents and robot in network namespaces, over UDP; cut the network, too"
    )
    options = parser.parse_args()
    reason = why_not() if options.cut else ""
    if reason:
        parser.error(f"--cut: {reason}")
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    if options.cut:
        os.environ.update(ENVIRONMENT)
    namespace = f"/benchmark_{os.getpid()}"
    found: dict[str, list[Trial]] = {way: [] for way in (*WAYS, *([CUT] if options.cut else []))}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        log = folder / "truth.jsonl"
        link = stack.enter_context(CutLink()) if options.cut else None
        before = link.at_robot if link is not None else ()
        stack.enter_context(DriveProcess(namespace, log, before))
        guard = stack.enter_context(GuardProcess(write_contract(folder), namespace, before=before))
        wait_until(log.exists)
        for _ in range(options.trials):
            for way in found:
                found[way].append(_try(way, namespace, log, link))
                assert guard.exit_code is None, "the guard has ended"
    return _report(found)


def _try(way: str, namespace: str, log: Path, link: CutLink | None) -> Trial:
    before = len(received(log))
    read_end, write_end = os.pipe()
    # Nothing of ROS runs in this process, so a child may begin with what is imported here.
    pid = os.fork()
    if not pid:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # it does not outlive the benchmark
        os.close(write_end)
        os.setsid()
        if link is not None:
            link.enter_agent()
        drive(namespace, read_end)
    os.close(read_end)
    try:
        wait_until(lambda: sum(values != SAFE for _, values in received(log)[before:]) >= 10)
        if way == "loops":
            os.write(write_end, b"\0")
        elif way == CUT:
            assert link is not None
            link.cut()
        else:
            os.kill(pid, signal.SIGKILL if way == "killed" else signal.SIGSTOP)
        with suppress(AssertionError):  # it does not come: that is a result
            wait_until(lambda: [values for _, values in received(log)[before:]][-REPEATS:] == [SAFE] * REPEATS, 10.0)
        commands = received(log)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(write_end)
        if link is not None:
            link.mend()
    last = max(index for index, (_, values) in enumerate(commands) if values != SAFE)
    times = [at / 1e9 for at, _ in commands[last : last + 1 + REPEATS]]
    if len(times) < 1 + REPEATS:
        return Trial(float("inf"), [float("inf")])
    return Trial(times[1] - times[0], [later - at for at, later in pairwise(times[1:])])


def _report(found: dict[str, list[Trial]]) -> int:
    print("| the agent is | trials | in time | silence: median, max (ms) | | gap: median, max (ms) | |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    late = 0
    for way, trials in found.items():
        silences = [trial.silence for trial in trials]
        gaps = [gap for trial in trials for gap in trial.gaps]
        in_time = sum(silence <= TIMEOUT_S + WITHIN_S for silence in silences)
        late += len(trials) - in_time
        figures = [statistics.median(silences), max(silences), statistics.median(gaps), max(gaps)]
        print(
            f"| {way} | {len(trials)} | {in_time} | " + " | ".join(f"{figure * 1e3:.1f}" for figure in figures) + " |"
        )
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
