"""``ros2 run rtgym_ros check_contract FILE [--live]``: whether a contract can be used, one line for each problem."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rtgym_ros.contract.grammar.reader import read_contract
from rtgym_ros.contract.grammar.source import ContractError
from rtgym_ros.contract.load_code import load_code, load_task, named_code
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.shipped import find_contract
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.one_line_parser import OneLineParser

_INTERRUPTED = 128 + 2
"""The exit code of a program that SIGINT has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check contracts; return 0 if all is well, 1 if there is a problem (warnings are none), 130 after Ctrl-C."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    try:
        return max(_check(file, options) for file in options.files)
    except KeyboardInterrupt:
        sys.stderr.write("check_contract: interrupted\n")
        return _INTERRUPTED


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = OneLineParser(
        "check_contract", description="Say what is wrong with contracts: file, line, key, value, what is allowed."
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a contract, or the name of one of the package's")
    parser.add_argument(
        "--with-code", action="store_true", help="import the code that they name (task, functions, checksums), too"
    )
    parser.add_argument(
        "--allow-code-beside", action="store_true", help="let that code lie beside the contract; means --with-code"
    )
    parser.add_argument(
        "--live", action="store_true", help="look at the robot that is up, too: a line for each thing; sends nothing"
    )
    parser.add_argument("--namespace", default="", metavar="/NAME", help="with --live: of the robot's topics")
    parser.add_argument(
        "--duration", type=_seconds, default=3.0, metavar="S", help="with --live: count messages so long (default: 3)"
    )
    return parser.parse_args(arguments)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"must be a number of seconds from 0.1 to 3600, got {text!r}")
    return seconds


def _check(file: str, options: argparse.Namespace) -> int:
    try:
        contract = read_contract(find_contract(file))
        for warning in contract.warnings:
            _say(f"warning: {warning}")
        problems = []
        if options.with_code or options.allow_code_beside:
            problems = _code_problems(contract, options.allow_code_beside)
    except ContractError as error:
        problems = list(error.problems)
    except ConfigError as error:  # neither a file nor a name
        problems = [str(error)]
    for problem in problems:
        _say(problem)
    if problems or (options.live and not _check_live(contract, options)):
        return 1
    _say(f"{file}: {_summary(contract)}")
    return 0


def _check_live(contract: Contract, options: argparse.Namespace) -> bool:
    """Say what is found on the robot, a line each; return whether all is well."""
    try:
        from rtgym_ros.ros.contract.live_check import LiveCheck
        from rtgym_ros.ros.session import RosSession
    except ImportError as error:
        _say(f"--live needs ROS 2: {error}")
        return False
    try:
        session = RosSession("check_contract", options.namespace)
    except ConfigError as error:
        _say(f"--live: {error}")
        return False
    try:
        check = LiveCheck(
            contract,
            session,
            duration=options.duration,
            with_code=options.with_code,
            allow_beside=options.allow_code_beside,
        )
        all_is_well = True
        for is_well, text in check.run():
            _say(f"{'well' if is_well else 'WRONG'}: {text}")
            all_is_well = all_is_well and is_well
        return all_is_well
    finally:
        session.close()


def _code_problems(contract: Contract, allow_beside: bool) -> list[str]:
    problems: list[str] = []
    for key, name in named_code(contract):
        try:
            load_code(contract, key, name, allow_beside=allow_beside)
        except ContractError as error:
            problems.extend(error.problems)
    if not problems:
        try:
            load_task(contract, allow_beside=allow_beside)
        except ContractError as error:
            problems.extend(error.problems)
    return problems


def _summary(contract: Contract) -> str:
    counts = [
        f"{len(section)} {name}{'' if len(section) == 1 else 's'}"
        for section, name in (
            (contract.action, "part"),
            (contract.observation, "part"),
            (contract.gates, "gate"),
            ((*contract.start, *contract.reset, *contract.wait, *contract.stop), "step"),
            (contract.heartbeats, "heartbeat"),
        )
    ]
    action, observation, *others = counts
    return f"robot {contract.robot}: action of {action}, observation of {observation}, {', '.join(others)}: well"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
