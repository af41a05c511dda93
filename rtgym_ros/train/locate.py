"""Objects by the name that a configuration file gives them."""

from __future__ import annotations

from importlib import import_module
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
