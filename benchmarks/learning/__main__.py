"""Train over ROS 2 in real time, through server, link and trainer, with several seeds; then fly what was learned."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from time import monotonic

from benchmarks.learning.report import report

_ROOT = Path(__file__).resolve().parents[2]
_RATE_HZ = 20
_KINDS = {
    "with the action buffer": (),
    "without": ("environment.kwargs={config: {act_in_obs: false}}",),
}


def main() -> int:
    """Run it; return 0 if every run came to its end."""
    options = _parse()
    folder = _ROOT / "benchmarks" / "results" / f"learning_{datetime.now():%Y-%m-%d_%H-%M-%S}"
    folder.mkdir(parents=True)
    runs = [
        (kind, seed)
        for kind in _KINDS
        if options.without_action_buffer or kind != "without"
        for seed in range(1, options.seeds + 1)
    ]
    waiting, running, failed = list(enumerate(runs)), {}, 0
    while waiting or running:
        while waiting and len(running) < options.parallel:
            number, (kind, seed) = waiting.pop(0)
            running[number] = _start(folder, number, kind, seed, options)
        _pause()
        for number in list(running):
            if running[number].poll() is not None:
                failed += running.pop(number).returncode != 0
    flights = {}
    for number, (kind, seed) in enumerate(runs):
        flights[f"{kind}, seed {seed}"] = _fly(folder, number, options)
    (folder / "flights.json").write_text(json.dumps(flights, indent=1))
    report(folder, {kind: [_run(folder, n) for n, (k, _) in enumerate(runs) if k == kind] for kind in _KINDS}, flights)
    return int(failed > 0)


def _run(folder: Path, number: int) -> Path:
    return folder / f"run{number}"


def _environment(number: int) -> dict[str, str]:
    # Drones of different runs do not hear each other.
    return {**os.environ, "ROS_DOMAIN_ID": str(40 + (os.getpid() + number) % 60)}


def _start(folder: Path, number: int, kind: str, seed: int, options: argparse.Namespace) -> subprocess.Popen[bytes]:
    settings = [f"directory={folder}", f"run=run{number}", *_KINDS[kind], *options.set]
    command = [sys.executable, "-m", "rtgym_ros.train.local.main", "--seed", str(seed)]
    command += ["--samples", str(round(60 * _RATE_HZ * options.minutes))]
    command += [part for setting in settings for part in ("--set", setting)]
    if options.sim_time:
        command.append("--sim-time")
    print(f"{monotonic():.0f} s: {kind}, seed {seed} begins", flush=True)
    with (folder / f"run{number}.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=_environment(number))


def _fly(folder: Path, number: int, options: argparse.Namespace) -> list[dict[str, float]]:
    """Fly the saved policy deterministically, on the environment that it was trained on, and return its episodes."""
    run = _run(folder, number)
    command = [sys.executable, "-m", "benchmarks.learning.fly", str(run), str(options.episodes)]
    done = subprocess.run(command, env=_environment(number), cwd=_ROOT, stdout=subprocess.PIPE, check=True)
    flown: list[dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return flown


def _pause() -> None:
    """Sleep until a run ends."""
    with suppress(ChildProcessError):
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="runs of a kind (default: 3)")
    parser.add_argument("--minutes", type=float, default=20.0, metavar="M", help="of flight each (default: 20)")
    parser.add_argument("--episodes", type=int, default=50, metavar="N", help="flown with what was learned (50)")
    parser.add_argument("--without-action-buffer", action="store_true", help="the same once more without it")
    parser.add_argument("--sim-time", action="store_true", help="on simulated time")
    parser.add_argument("--parallel", type=int, default=1, metavar="N", help="runs at the same time (default: 1)")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.ENTRY=VALUE", help="over train.yaml")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
