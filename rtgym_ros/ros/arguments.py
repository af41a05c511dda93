"""ROS arguments of a command line, and what rclpy says about bad ones, in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Renaming:
    """What a command line says about the names of all nodes of its process.

    Attributes:
        arguments: the command line without it.
        name: of ``-r __node:=NAME``, None without.
        namespace: of ``-r __ns:=NAMESPACE``, None without.
    """

    arguments: list[str]
    name: str | None
    namespace: str | None


def take_renaming(command_line: Sequence[str]) -> Renaming:
    """Take ``-r __node:=NAME`` and ``-r __ns:=NAMESPACE`` out of a command line; those for one node alone stay in."""
    rest: list[str] = []
    found: dict[str, str] = {}
    for option, value in _ros_options(command_line):
        match = re.fullmatch(r"(__node|__name|__ns):=(.*)", value or "") if option in ("-r", "--remap") else None
        if match is None:
            rest += [option] if value is None else [option, value]
        else:
            found.setdefault("__ns" if match[1] == "__ns" else "__node", match[2])
    return Renaming(rest, found.get("__node"), found.get("__ns"))


def parameters_of_all_nodes(command_line: Sequence[str]) -> tuple[set[str], list[str]]:
    """Return the names that ``-p NAME:=VALUE`` sets on all nodes of the process, and the files of ``--params-file``."""
    names, files = set(), []
    for option, value in _ros_options(command_line):
        if option in ("-p", "--param") and value and ":=" in value:
            name = value.partition(":=")[0]
            if ":" not in name:  # NODE:NAME:=VALUE
                names.add(name)
        elif option == "--params-file" and value:
            files.append(value)
    return names, files


_OPTIONS_WITH_VALUE = {"-r", "--remap", "-p", "--param", "--params-file", "-e", "--enclave"}
_OPTIONS_WITH_VALUE |= {"--log-level", "--log-config-file", "--log-file-name"}


def _ros_options(command_line: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Yield every word of a command line, ROS's options with their values."""
    words = iter(command_line)
    is_ros = False
    for word in words:
        if word in ("--ros-args", "--"):
            is_ros = word == "--ros-args"
            yield word, None
        elif is_ros and word in _OPTIONS_WITH_VALUE:
            yield word, next(words, None)
        else:
            yield word, None
