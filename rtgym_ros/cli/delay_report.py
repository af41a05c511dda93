"""``./dev delays``: fly the simulated drone over real topics, and draw its delays."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rtgym_ros.cli.calibration_results import report_lines
from rtgym_ros.core.errors import RtgymError
from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.delays.recommendations import recommend

_INTERRUPTED = 128 + 2
"""The exit code of a program that SIGINT has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Fly and draw; return 0, 1 after an error that is told in one line, 2 for a bad command line, 130 after Ctrl-C."""
    parser = OneLineParser("delay_report", description="Fly the simulated drone, and draw the delays of the flight.")
    parser.add_argument("-o", "--output", type=Path, default=Path("delays.png"), help="picture (default %(default)s)")
    parser.add_argument("--duration", type=float, default=30.0, metavar="S", help="of the flight (s, default 30)")
    parser.add_argument("--seed", type=int, default=0, help="of drone and motion (default %(default)s)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME:=VALUE", help="parameter of the drone: command_loss:=0.05"
    )
    options = parser.parse_args(arguments)
    if not 1.0 <= options.duration <= 3600.0:
        parser.error(f"argument --duration: must be from 1 to 3600, got {options.duration:g}")
    try:
        _run(options)
    except KeyboardInterrupt:
        sys.stderr.write("delay_report: interrupted\n")
        return _INTERRUPTED
    except ModuleNotFoundError as error:
        sys.stderr.write(f"delay_report: {error.name} is not installed: pip install 'rtgym_ros[ros,tutorial]'\n")
        return 1
    except (RtgymError, OSError) as error:
        sys.stderr.write(f"delay_report: {error}\n")
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    from rtgym_ros.contract.grammar.reader import read_contract
    from rtgym_ros.delays.pictures import save_delay_picture
    from rtgym_ros.nodes.robot_process import RobotProcess
    from rtgym_ros.ros.calibration.flight import fly
    from rtgym_ros.ros.contract_env import find_contract

    namespace = f"/delay_report_{os.getpid()}"
    parameters = (f"seed:={options.seed}", *options.set)
    contract = read_contract(find_contract("drone"))
    with RobotProcess("drone_node", namespace, parameters):
        flown = fly(
            contract,
            duration=options.duration,
            amplitude=1.0,
            seed=options.seed,
            namespace=namespace,
        )
    found = recommend(flown.measured, flown.time_step_duration)
    sys.stdout.write("\n".join(report_lines(contract, flown, found)) + "\n")
    save_delay_picture(options.output, flown.measured, found, flown.life, flown.predictable)
    sys.stdout.write(f"picture: {options.output}\n")


if __name__ == "__main__":
    sys.exit(main())
