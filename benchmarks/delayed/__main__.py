"""Learning under delays: `./dev shell -c "python -m benchmarks.delayed --short"`. Finished runs are not run again."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep

from benchmarks.delayed.cases import CONDITIONS, METHODS, SHORT_TASKS, TASKS, Case, all_cases
from benchmarks.delayed.report import load, report

_ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run what is missing; return 0 if every run came to its end, 2 where something is not installed."""
    options = _parse()
    missing = [name for name in ("stable_baselines3", "mujoco") if find_spec(name) is None]
    if missing and not options.report_only:
        print(
            f"not installed: {', '.join(missing)} (python -m pip install stable-baselines3 'gymnasium[mujoco]')",
            file=sys.stderr,
        )
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # which ends the runs that are under way
    settings = {"steps": options.steps, "net": options.net, "batch": options.batch, "train_freq": options.train_freq}
    cases = all_cases(options.tasks, options.conditions, options.methods, options.seeds, **settings)
    folder = options.results
    folder.mkdir(parents=True, exist_ok=True)
    failed = [] if options.report_only else _run(cases, folder, options.parallel)
    results, others = load(folder, cases)
    if others:
        print(f"{others} results in {folder} are of other settings: left out", file=sys.stderr)
    report(folder, results, len(cases))
    return int(bool(failed))


def _run(cases: list[Case], folder: Path, parallel: int) -> list[Case]:
    done, _ = load(folder, cases)
    finished = {result["case"]["name"] for result in done}
    waiting = [case for case in cases if case.name not in finished]
    running: dict[subprocess.Popen[bytes], Case] = {}
    failed, begun = [], monotonic()
    print(f"{len(waiting)} of {len(cases)} runs to do", flush=True)
    try:
        while waiting or running:
            while waiting and len(running) < parallel:
                case = waiting.pop(0)
                running[_start(case, folder)] = case
            sleep(0.5)
            for process in [process for process in running if process.poll() is not None]:
                case = running.pop(process)
                if process.returncode:
                    failed.append(case)
                said = "done" if process.returncode == 0 else f"failed ({process.returncode}), see {case.name}.log"
                print(f"{monotonic() - begun:6.0f} s  {case.name}: {said}; {len(waiting)} to do", flush=True)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()
    return failed


def _start(case: Case, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.delayed.run_case", json.dumps(case.as_dict()), _file(folder, case)]
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {**os.environ, **one_thread, "PYTHONPATH": path}
    with (folder / f"{case.name}.log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _file(folder: Path, case: Case) -> str:
    return str((folder / f"{case.name}.json").resolve())


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delayed", description=__doc__)
    parser.add_argument(
        "--short", action="store_true", help="two tasks, 20,000 steps, 3 seeds, smaller networks, half the updates"
    )
    parser.add_argument("--tasks", nargs="+", choices=TASKS, metavar="TASK", help=f"of {', '.join(TASKS)}")
    parser.add_argument("--conditions", nargs="+", choices=CONDITIONS, default=list(CONDITIONS), metavar="DELAYS")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), metavar="METHOD")
    parser.add_argument("--seeds", type=int, metavar="N", help="runs of a kind (default: 5, short 3)")
    parser.add_argument("--steps", type=int, metavar="N", help="of training (default: 1,000,000, short 20,000)")
    parser.add_argument("--net", type=int, metavar="N", help="width of two hidden layers (default: 256, short 128)")
    parser.add_argument("--batch", type=int, metavar="N", help="of an update (default: 256, short 128)")
    parser.add_argument("--train-freq", type=int, metavar="N", help="steps for each update (default: 1, short 2)")
    parser.add_argument("--parallel", type=int, default=1, metavar="N", help="runs at the same time (default: 1)")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="where results are kept, and looked for")
    parser.add_argument("--report-only", action="store_true", help="table and picture of what is there")
    options = parser.parse_args()
    short = options.short
    defaults = {
        "tasks": list(SHORT_TASKS) if short else list(TASKS),
        "seeds": 3 if short else 5,
        "steps": 20_000 if short else 1_000_000,
        "net": 128 if short else 256,
        "batch": 128 if short else 256,
        "train_freq": 2 if short else 1,
        "results": Path(__file__).parent / "results" / ("short" if short else "whole"),
    }
    for name, value in defaults.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


if __name__ == "__main__":
    sys.exit(main())
