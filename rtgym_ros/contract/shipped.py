"""The contracts that come with the package, by their names."""

from __future__ import annotations

from pathlib import Path

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.locate import shared_file


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
    """Return where the contracts are that come with the package: in a checkout of it, or in its share folder.

    Raises:
        ConfigError: they are not installed.
    """
    folder = shared_file("config/contracts")
    if folder.is_dir():
        return folder
    raise ConfigError("the contracts of the package are not installed: source the workspace, or give a path")
