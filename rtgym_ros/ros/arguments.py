"""ROS arguments of a command line, and what rclpy says about bad ones, in one line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rclpy.utilities import remove_ros_args

from rtgym_ros.core.errors import ConfigError


def own_arguments(command_line: Sequence[str]) -> list[str]:
    """Return the arguments of a program (``sys.argv``) that are not ROS's.

    Raises:
        ConfigError: what stands between ``--ros-args`` and ``--`` cannot be used, a parameter file for example.
    """
    try:
        return list(remove_ros_args(list(command_line))[1:])
    except Exception as error:  # RCLInvalidROSArgsError and others of rclpy's C++ side
        raise ConfigError(one_line(error)) from error


def one_line(error: Exception) -> str:
    """Return what ``error`` says without line breaks, nor where in the C code of rcl it was noticed."""
    return re.sub(r"\s*, at \S+:\d+", "", " ".join(str(error).split()))
