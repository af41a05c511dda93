"""The contracts that come with the package, by their names."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rtgym_ros.core.errors import ConfigError


def find_contract(name: str | Path) -> Path:
    """Return the file of a contract: a path, or the name of one that comes with the package.

    Raises:
        ConfigError: there is neither.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return path
    folder = contracts_folder()
    shipped = folder / f"{name}.yaml"
    if shipped.is_file():
        return shipped
    known = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
    raise ConfigError(f"contract {str(name)!r} is no file, and none of those that come with the package: {known}")


def contracts_folder() -> Path:
    """Return where the contracts are that come with the package: in its share folder, or in a checkout of it.

    Raises:
        ConfigError: they are not installed.
    """
    # What ament_index_python looks through; contracts are read without any ROS, too.
    prefixes = [*filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)), sys.prefix]
    for place in [*(Path(prefix) / "share" / "rtgym_ros" for prefix in prefixes), Path(__file__).parents[2]]:
        folder = place / "config" / "contracts"
        if folder.is_dir():
            return folder
    raise ConfigError("the contracts of the package are not installed: source the workspace, or give a path")
