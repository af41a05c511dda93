"""The contracts that come with the package, by their names."""

from __future__ import annotations

from pathlib import Path

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.locate import shared_file


def find_contract(name: str | Path) -> Path:
    """Return the file of a contract: a path, or the name of one that comes with the package.

    Raises:
        ConfigError: there is neither, or those of the package are not installed.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return path
    folder = shared_file("config/contracts")
    if not folder.is_dir():
        raise ConfigError("the contracts of the package are not installed: source the workspace, or give a path")
    shipped = folder / f"{name}.yaml"
    if shipped.is_file():
        return shipped
    known = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
    raise ConfigError(f"contract {str(name)!r} is no file, and none of those that come with the package: {known}")
