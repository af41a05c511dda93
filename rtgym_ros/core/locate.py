"""Objects, programs and files of the package by the name that a configuration gives them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from rtgym_ros.core.errors import ConfigError


def locate(name: str, entry: str) -> Any:
    """Return what ``"package.module:attribute"``, an entry of the configuration, names.

    Raises:
        ConfigError: it cannot be imported.
    """
    if ":" not in name:
        raise ConfigError(f"{entry} must be written 'package.module:name', got {name!r}")
    try:
        return resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{entry} {name!r}: {error}") from error


def locate_program(command: Sequence[str]) -> list[str]:
    """Return a command whose program is on PATH, or one of the package's in a ROS 2 workspace that is sourced."""
    program, *arguments = command
    for prefix in _prefixes() if shutil.which(program) is None else ():
        path = prefix / "lib" / "rtgym_ros" / program
        if path.exists():
            return [str(path), *arguments]
    return [program, *arguments]


def shared_file(name: str) -> Path:
    """Return a file or folder of the source tree, or the installed one where there is no such tree.

    It is looked for where ament_index_python looks: what is shared is read without any ROS, too.
    """
    source = Path(__file__).parents[2] / name
    installed = (prefix / "share" / "rtgym_ros" / name for prefix in (*_prefixes(), Path(sys.prefix)))
    return next((path for path in (source, *installed) if path.exists()), source)


def _prefixes() -> list[Path]:
    return [Path(prefix) for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
