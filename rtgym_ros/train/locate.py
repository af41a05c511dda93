"""Objects, programs and files by the name that a configuration file gives them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from rtgym_ros.core.errors import ConfigError


def locate(name: str, entry: str) -> Any:
    """Return what ``"package.module:attribute"`` names.

    Args:
        name: the name.
        entry: of the configuration, for the error.

    Raises:
        ConfigError: it cannot be imported.
    """
    module, colon, attribute = name.partition(":")
    if not colon:
        raise ConfigError(f"{entry} must be written 'package.module:name', got {name!r}")
    try:
        found = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{entry} {name!r}: {error}") from error
    return found


def locate_program(command: Sequence[str]) -> list[str]:
    """Return a command whose program is on PATH, or one of the package's in a ROS 2 workspace that is sourced."""
    program, *arguments = command
    for prefix in _prefixes() if shutil.which(program) is None else ():
        path = prefix / "lib" / "rtgym_ros" / program
        if path.exists():
            return [str(path), *arguments]
    return [program, *arguments]


def shared_file(name: str) -> Path:
    """Return a file of the source tree, or the installed one where there is no such tree."""
    source = Path(__file__).parents[2] / name
    installed = (prefix / "share" / "rtgym_ros" / name for prefix in (*_prefixes(), Path(sys.prefix)))
    return next((path for path in (source, *installed) if path.exists()), source)


def _prefixes() -> list[Path]:
    return [Path(prefix) for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
