"""``python -m rtgym_ros.compat SCRIPT [ARGS...]``, or ``-m MODULE [ARGS...]``."""

from __future__ import annotations

import re
import sys
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import NoReturn

from rtgym_ros.compat.alias import install
from rtgym_ros.compat.names import PACKAGES
from rtgym_ros.compat.program import hide_our_frames, run_module, run_script

USAGE = "usage: python -m rtgym_ros.compat [--gym] SCRIPT [ARGS...], or -m MODULE [ARGS...]"
HELP = f"""{USAGE}

Run a program written for rtgym, or for the older gym_real_time, on rtgym_ros without editing it.

  --gym    let gym be Gymnasium even where gym is installed, for programs from before rtgym 0.8;
           it is so of itself where the rtgym that is installed needs gym
"""


def main(arguments: list[str]) -> None:
    """Run the program that the arguments name; what ends it ends this."""
    if arguments[:1] in (["-h"], ["--help"]):
        sys.stdout.write(HELP)
        return
    replace_gym = arguments[:1] == ["--gym"]
    program = arguments[replace_gym:]
    if not program or program == ["-m"]:
        _refuse(f"no program given; {USAGE}")
    if program[0] == "-m":
        _prepare(replace_gym)
        run_module(program[1], program[2:])
        return
    if program[0].startswith("-"):
        _refuse(f"unknown option {program[0]!r}; {USAGE}")
    try:
        source = Path(program[0]).read_bytes()
    except OSError as error:
        _refuse(f"can't open {program[0]!r}: {error.strerror}")
    _prepare(replace_gym)
    run_script(program[0], source, program[1:])


def _prepare(replace_gym: bool) -> None:
    installed = ", ".join(filter(None, map(_installed, PACKAGES)))
    unused = f"; {installed} is installed and not used" if installed else ""
    sys.stderr.write(f"rtgym_ros.compat: {' and '.join(PACKAGES)} are rtgym_ros in this program{unused}\n")
    install(replace_gym or _needs_gym("rtgym"))
    hide_our_frames()


def _installed(package: str) -> str:
    """Return name and, if it is known, version of an installed package, or an empty string."""
    if PathFinder.find_spec(package) is None:
        return ""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package


def _needs_gym(package: str) -> bool:
    """Return whether an installed package requires gym, not Gymnasium: then the programs beside it do, too."""
    try:
        requirements = requires(package) or []
    except PackageNotFoundError:
        return False
    return any(re.match(r"gym\b(?!-)", requirement) for requirement in requirements)


def _refuse(reason: str) -> NoReturn:
    sys.stderr.write(f"rtgym_ros.compat: {reason}\n")
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
