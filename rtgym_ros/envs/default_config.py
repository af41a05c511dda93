"""The configuration dictionary to copy from."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.envs.interface import RealTimeGymInterface

DEFAULT_CONFIG_DICT: dict[str, Any] = {
    "interface": RealTimeGymInterface,
    **{
        entry.name: entry.default if entry.default is not MISSING else {}
        for entry in fields(RealTimeConfig)
        if entry.name != "interface"
    },
}
"""Every entry with its default (see :class:`~rtgym_ros.core.config.RealTimeConfig`); replace ``"interface"`` by your
own class. It is a plain dictionary: this package reads it and never writes it; prefer to change a copy."""
