"""A command line that cannot be used is one line, whichever program it is of."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn


class OneLineParser(argparse.ArgumentParser):
    """Says in one line what is wrong with a command line, and ends the program with exit code 2.

    ROS arguments (``--ros-args ... [--]``), which launch files append to every command line, are no arguments of it.
    """

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse what is not between ``--ros-args`` and ``--``."""
        return super().parse_known_args(without_ros_arguments(sys.argv[1:] if args is None else args), namespace)

    def error(self, message: str) -> NoReturn:
        """End the program."""
        self.exit(2, f"{self.prog}: {message}\n")


def without_ros_arguments(arguments: Sequence[str]) -> list[str]:
    """Return a command line without what stands between ``--ros-args`` and ``--`` (or its end), nor these two.

    rclpy has the same as ``rclpy.utilities.remove_ros_args``; programs that are no nodes run without it.
    """
    kept: list[str] = []
    is_ros = False
    for argument in arguments:
        if not is_ros and argument == "--ros-args":
            is_ros = True
        elif is_ros and argument == "--":
            is_ros = False
        elif not is_ros:
            kept.append(argument)
    return kept
