"""The command line of the tutorial."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rtgym_ros.core.errors import nearest
from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.policies.load import NUMPY
from rtgym_ros.robots.drone.policies import Policy, Predictor, hover, make_p_controller, make_random

POLICIES: dict[str, Callable[[argparse.Namespace], Policy]] = {
    "p_controller": lambda options: make_p_controller(options.gain),
    "predictor": lambda options: Predictor(),
    "random": lambda options: make_random(options.seed),
    "hover": lambda options: hover,
}
STORY = "p_controller,predictor"
"""Flown without --policy: what delays do to the tutorial's controller, and what the action buffer does about it."""

ENV_NODE, CONTRACT = "env", "drone_tutorial"
"""Name of the node that hosts the clock where this program does not, and what it hosts."""

_LARGEST_SEED = 2**31 - 1
"""The drone's parameter is an int32."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; end the program with one line and exit code 2 where it cannot be used."""
    parser = OneLineParser(
        "drone_tutorial", description="Fly the tutorial's drone to random targets over real ROS 2 topics."
    )
    parser.add_argument(
        "--episodes", type=_count, default=5, metavar="N", help="episodes a policy (default: %(default)s)"
    )
    parser.add_argument(
        "--policy",
        type=_policies,
        default=STORY,
        metavar="NAME[,NAME]",
        help=f"one or more of {', '.join(POLICIES)}, or a file FILE{NUMPY} that ./dev train made, flown to the same "
        "targets (default: %(default)s)",
    )
    parser.add_argument("--gain", type=_gain, default=20.0, help="of the p_controller, in 1/s (default: %(default)g)")
    parser.add_argument("--seed", type=_seed, help="of the targets and the drone's delays (default: a new one)")
    parser.add_argument(
        "--attach", action="store_true", help="fly a drone_node that runs already, in the namespace that is given"
    )
    parser.add_argument(
        "--with-others", action="store_true", help="with --attach: even where others publish pose or obey cmd_vel"
    )
    parser.add_argument("--guard", action="store_true", help="with --attach: through the drone's guard, which is up")
    parser.add_argument(
        "--host",
        choices=("agent", "node"),
        default="agent",
        help="where the clock is: in this program, or in an env_node that it flies through; with --attach one that is"
        f" up, of the name {ENV_NODE} and with the contract {CONTRACT} (default: %(default)s)",
    )
    parser.add_argument("--params-file", metavar="FILE", help="parameters for the drone that is started (YAML)")
    parser.add_argument(
        "--view", action="store_true", help="watch the flight: in a window, or without a display in the terminal"
    )
    parser.add_argument("--plot", type=_picture, metavar="FILE.png", help="write trajectories and histograms")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="record every time-step to MCAP files there")
    options = parser.parse_args(arguments)
    if options.attach and options.params_file is not None:
        parser.error("--params-file is for a drone that is started here, and --attach flies one that runs already")
    if options.guard and not options.attach:
        parser.error("--guard is for a drone that runs already: say --attach too")
    if options.guard and options.host == "node":
        parser.error("--guard is a parameter of env_node, and cannot be given with --host node")
    if options.seed is None:
        options.seed = int(np.random.default_rng().integers(1_000_000))
    return options


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number >= 1, got {text!r}")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) > _LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to {_LARGEST_SEED}, got {text!r}")
    return int(text)


def _gain(text: str) -> float:
    try:
        gain = float(text)
    except ValueError:
        gain = -1.0
    if not 0 <= gain < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number >= 0, got {text!r}")
    return gain


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"must be a file name that ends in .png, got {text!r}")
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"must be in a folder that exists, got {text!r}")
    return path


def _policies(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name.endswith(NUMPY):
            if not Path(name).is_file():
                raise argparse.ArgumentTypeError(f"there is no file {name!r}: ./dev train makes one")
        elif name not in POLICIES:
            hint = nearest(name, POLICIES)
            raise argparse.ArgumentTypeError(
                f"must be among {', '.join(POLICIES)}, or end in {NUMPY}, got {name!r}{hint}"
            )
    return names
