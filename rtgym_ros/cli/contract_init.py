"""``ros2 run rtgym_ros contract_init``: a first contract of the robot that is up, for a person to finish."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from rtgym_ros.contract.draft.draft import draft_contract
from rtgym_ros.contract.draft.urdf import read_joints
from rtgym_ros.contract.grammar.reader import parse_contract
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.one_line_parser import OneLineParser

_INTERRUPTED = 128 + 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a contract; return 0, 1 where the robot shows too little, 2 for bad input, 130 after Ctrl-C."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    try:
        text = _draft(options)
        # What a person starts from must be right as far as it goes.
        parse_contract(text, str(options.output or "contract"))
        if options.output is None:
            sys.stdout.write(text)
        else:
            with options.output.open("w" if options.force else "x") as file:
                file.write(text)
            sys.stdout.write(f"{options.output}: written; decide on each line that says DECIDE\n")
    except KeyboardInterrupt:
        return _INTERRUPTED
    except FileExistsError:
        return _fail(f"{options.output} exists: give another name, or --force", 2)
    except (ConfigError, OSError) as error:
        return _fail(str(error), 1)
    except ImportError as error:
        return _fail(f"ROS 2 is needed: {error}", 1)
    return 0


def _draft(options: argparse.Namespace) -> str:
    from rtgym_ros.ros.contract.graph_survey import robot_description, services, survey
    from rtgym_ros.ros.session import RosSession

    urdf = None if options.urdf is None else options.urdf.read_text()
    session = RosSession("contract_init", options.namespace)
    try:
        topics = survey(session.node, options.duration)
        served = services(session.node)
        urdf = urdf or robot_description(session.node, topics)
    finally:
        session.close()
    joints = [] if urdf is None else read_joints(urdf)
    return draft_contract(options.robot, topics, joints, options.duration, served)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = OneLineParser("contract_init", description="Write a first contract of the robot that is up.")
    parser.add_argument("--robot", type=_name, default="robot", metavar="NAME", help="its name (default: robot)")
    parser.add_argument("--namespace", default="", metavar="/NAME", help="of the robot's topics")
    parser.add_argument("--urdf", type=Path, metavar="FILE", help="its URDF (default: the topic robot_description)")
    parser.add_argument(
        "--duration", type=_seconds, default=3.0, metavar="S", help="watch the topics for so long (default: 3)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.yaml", help="the file to write (default: print it)")
    parser.add_argument("--force", action="store_true", help="write over a file that exists")
    return parser.parse_args(arguments)


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        raise argparse.ArgumentTypeError(f"must be lower-case letters, digits and _, got {text!r}")
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"must be a number of seconds from 0.1 to 3600, got {text!r}")
    return seconds


def _fail(text: str, code: int) -> int:
    sys.stderr.write(f"contract_init: {text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
