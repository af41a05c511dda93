"""``rtgym_ros calibrate CONTRACT``: measure a robot's delays, say what follows, and write it into the contract."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rtgym_ros.cli.calibration_results import WRITTEN, contract_values, export_delays, report_lines
from rtgym_ros.contract.edit_text import write_values
from rtgym_ros.contract.grammar.reader import read_contract
from rtgym_ros.contract.load_code import load_code
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.core.errors import RtgymError
from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.delays.calibration import Calibration
from rtgym_ros.delays.recommendations import Recommendations, recommend

_INTERRUPTED = 128 + 2
"""The exit code of a program that SIGINT has ended."""

_EXTRAS = {"matplotlib": "report", "rich": "report", "mcap": "record", "zstandard": "record", "yaml": "contract"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Calibrate; return 0, 1 after an error that is told in one line, 2 for a bad command line, 130 after Ctrl-C."""
    options = _parse(arguments)
    try:
        _run(options)
    except KeyboardInterrupt:
        sys.stderr.write("calibrate: interrupted\n")
        return _INTERRUPTED
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        package = f"rtgym_ros[{_EXTRAS[name]}]" if name in _EXTRAS else name
        sys.stderr.write(f"calibrate: {name} is not installed: pip install '{package}'\n")
        return 1
    except (RtgymError, OSError) as error:
        sys.stderr.write(f"calibrate: {error}\n")
        return 1
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = OneLineParser(
        "calibrate",
        description="Measure a robot's delays, and say what they mean for its contract. The robot MOVES, in random "
        "steps around its default action, unless --passive or --recording is given.",
    )
    parser.add_argument("contract", metavar="CONTRACT", help="file, or the name of one that comes with the package")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--passive", action="store_true", help="send nothing: measure the observations alone")
    how.add_argument("--recording", type=Path, metavar="PATH", help="take recorded flights, and no robot")
    parser.add_argument("--duration", type=_positive, default=20.0, metavar="S", help="of the motion (s, default 20)")
    parser.add_argument(
        "--amplitude",
        type=_share,
        default=0.2,
        metavar="SHARE",
        help="largest step, of the way from the default action to the nearer bound (0 to 1, default 0.2)",
    )
    parser.add_argument("--seed", type=int, help="of the motion")
    parser.add_argument("--namespace", default="", help="where the robot's topics are")
    parser.add_argument("--guard", metavar="INPUT", help="send to this input of the robot's guard")
    parser.add_argument("--time-step-duration", type=_positive, metavar="S", help="in place of the contract's (s)")
    parser.add_argument(
        "--policy",
        metavar="MODULE:FUNCTION",
        help="time this function of an observation, too; what it returns is not sent",
    )
    parser.add_argument("--allow-code-beside", action="store_true", help="code may lie beside the contract")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="picture to write (PNG)")
    parser.add_argument("--write", action="store_true", help="put the values into the contract; comments stay")
    parser.add_argument(
        "--leave", action="append", default=[], choices=WRITTEN, help="with --write: leave this one as it is"
    )
    parser.add_argument(
        "--export", type=Path, metavar="NAME", help="write the delays for simulators: NAME_action.json and others"
    )
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace) -> None:
    from rtgym_ros.ros.contract_env import find_contract

    file = find_contract(options.contract)
    contract = read_contract(file)
    calibration = _measure(contract, options)
    recommendations = _recommend(calibration, options)
    sys.stdout.write("\n".join(report_lines(contract, calibration, recommendations)) + "\n")
    if options.plot is not None:
        from rtgym_ros.delays.pictures import save_delay_picture

        save_delay_picture(
            options.plot, calibration.measured, recommendations, calibration.life, calibration.predictable
        )
        sys.stdout.write(f"picture: {options.plot}\n")
    if options.export is not None:
        for line in export_delays(options.export, calibration):
            sys.stdout.write(f"{line}\n")
    if options.write:
        values = contract_values(contract, calibration, recommendations, set(WRITTEN) - set(options.leave))
        write_values(file, values)
        for key, value in values.items():
            sys.stdout.write(f"{file}: {'.'.join(key)}: {value}\n")


def _measure(contract: Contract, options: argparse.Namespace) -> Calibration:
    if options.recording is not None:
        from rtgym_ros.record.measured import measured_in

        return measured_in(options.recording)
    from rtgym_ros.ros.calibration.flight import fly, watch

    common: dict[str, Any] = {
        "duration": options.duration,
        "namespace": options.namespace,
        "time_step_duration": options.time_step_duration,
        "allow_code_beside": options.allow_code_beside,
    }
    if options.passive:
        return watch(contract, **common)
    policy = None
    if options.policy is not None:
        policy = load_code(contract, ("policy",), options.policy, allow_beside=options.allow_code_beside)
    with _progress(f"moving {contract.robot}") as progress:
        return fly(
            contract,
            amplitude=options.amplitude,
            seed=options.seed,
            guard=options.guard or False,
            policy=policy,
            progress=progress,
            **common,
        )


def _recommend(calibration: Calibration, options: argparse.Namespace) -> Recommendations:
    """Return what follows; with ``--write`` for a time-step that holds, and for the capture that is written."""
    duration = calibration.time_step_duration
    if options.recording is not None and options.time_step_duration is not None:
        duration = options.time_step_duration
    found = recommend(calibration.measured, duration)
    if not options.write:
        return found
    is_free = options.time_step_duration is None and "time_step_duration" not in options.leave
    if is_free and found.shortest_time_step_duration > duration:
        duration = math.ceil(found.shortest_time_step_duration * 1e3) / 1e3
        found = recommend(calibration.measured, duration)
    if "start_obs_capture" in options.leave or math.isnan(found.start_obs_capture):
        return found
    earlier = replace(calibration.measured, capture_to_send=duration - found.start_obs_capture)
    return recommend(earlier, duration)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal's standard error; elsewhere nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    # Drawn by the thread that flies, when it has time: no other thread disturbs the clock.
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            if done % 10 == 0:
                bar.refresh()

        yield show


def _positive(text: str) -> float:
    return _number(text, lambda value: 0 < value < float("inf"), "above 0")


def _share(text: str) -> float:
    return _number(text, lambda value: 0 < value <= 1, "above 0 and up to 1")


def _number(text: str, is_allowed: Callable[[float], bool], allowed: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not is_allowed(value):
        raise argparse.ArgumentTypeError(f"{text!r} is no number {allowed}")
    return value


if __name__ == "__main__":
    sys.exit(main())
