"""``python -m benchmarks.endings``: end programs in every way, over a link that loses datagrams; root is needed.

Robot and program are in network namespaces of their own, with a relay between them that loses the datagrams. A run is
right when the robot's last command is the safe one, when it came within half a second of the event that ended the
program (of the end of ``agent_timeout``, 0.2 s, where the event is that nobody calls), and when the program printed no
traceback but its own. Runs of one way take turns in when they call ``rclpy.init()``: before, after, never.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import signal
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks.endings.lossy_link import LossyLink

sys.path.insert(0, str(Path(__file__).parents[2] / "test" / "ros"))
from endings.trial import INITS, WAYS, Trial, run_trial

AGENT_TIMEOUT_S = 0.2
WITHIN_S = 0.5


class Run(NamedTuple):
    """One run, and what came of it."""

    loss: float
    way: str
    init: str
    number: int
    trial: Trial
    problems: list[str]


def one_run(loss: float, way: str, init: str, number: int) -> Run:
    """Run a program to its end on a link of its own."""
    with tempfile.TemporaryDirectory() as folder, LossyLink(loss, number) as link:
        trial = run_trial(way, init, "/ending", Path(folder), robot_prefix=link.prefix(0), agent_prefix=link.prefix(1))
    problems = trial.problems(way)
    stopped_after = trial.stopped_after - (AGENT_TIMEOUT_S if way == "silence" else 0.0)
    if not stopped_after <= WITHIN_S:
        problems.append(f"stopped after {stopped_after:.3f} s")
    return Run(loss, way, init, number, trial, problems)


def plan(options: argparse.Namespace) -> Iterator[tuple[float, str, str, int]]:
    """Yield loss, way, init and number of each run: a bit of everything first, so that it may be cut short."""
    numbers = itertools.count()
    for repeat in range(options.runs):
        for loss in options.loss:
            for way in options.ways:
                yield loss / 100.0, way, INITS[repeat % len(INITS)], next(numbers)


def table(runs: list[Run]) -> Iterator[str]:
    """Yield the lines of the report."""
    rows: dict[tuple[float, str], list[Run]] = defaultdict(list)
    for run in runs:
        rows[run.loss, run.way].append(run)
    yield "| lost | way to end | runs | right | stopped after, median | longest |"
    yield "| ---: | --- | ---: | ---: | ---: | ---: |"
    for (loss, way), row in sorted(rows.items()):
        times = [1000.0 * run.trial.stopped_after for run in row]
        right = sum(not run.problems for run in row)
        yield (
            f"| {loss:.0%} | {way} | {len(row)} | {right} | {statistics.median(times):.1f} ms | {max(times):.1f} ms |"
        )
    for run in runs:
        if run.problems:
            yield f"{run.loss:.0%} {run.way}, rclpy.init() {run.init}, run {run.number}: {'; '.join(run.problems)}"


def main() -> int:
    """Run them; return 0 if all were right, 1 if not, 2 where they cannot run."""
    parser = argparse.ArgumentParser("python -m benchmarks.endings", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100, help="of each way and loss")
    parser.add_argument("--loss", type=float, nargs="+", default=[0.0, 20.0], help="datagrams lost (%%)")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--jobs", type=int, default=1, help="how many at the same time")
    options = parser.parse_args()
    if os.geteuid() or not shutil.which("ip") or not Path("/dev/net/tun").exists():
        print("benchmarks.endings needs root, iproute2's ip and /dev/net/tun", file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM):  # the runs under way are ended in order, and reported
        signal.signal(number, signal.default_int_handler)
    # Over the link and no other way: neither shared memory nor a domain or a range from outside.
    os.environ |= {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4", "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}
    runs: list[Run] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        futures = [pool.submit(one_run, *arguments) for arguments in plan(options)]
        try:
            for i, future in enumerate(futures, 1):
                runs.append(future.result())
                if runs[-1].problems or i % 20 == 0:
                    print(f"{i} of {len(futures)}: {runs[-1].way} {runs[-1].problems}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            for future in futures:
                future.cancel()
    print(*table(runs), sep="\n")
    return int(any(run.problems for run in runs))


if __name__ == "__main__":
    sys.exit(main())
