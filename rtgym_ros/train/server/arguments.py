"""The arguments that every program of a run takes."""

from __future__ import annotations

import argparse
from pathlib import Path

from rtgym_ros.train.config import TrainConfig, load_config


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--config``, ``--set`` and ``--heartbeat``."""
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="of the run (YAML)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.ENTRY=VALUE", help="instead of what the file says"
    )
    parser.add_argument("--heartbeat", type=Path, metavar="FILE", help=argparse.SUPPRESS)  # of the supervisor


def config_of(arguments: argparse.Namespace) -> TrainConfig:
    """Return the configuration that the arguments ask for.

    Raises:
        ConfigError: it cannot be read, or is wrong.
    """
    return load_config(arguments.config, tuple(arguments.set))


def config_arguments(arguments: argparse.Namespace) -> list[str]:
    """Return the same arguments for a child."""
    overrides = [part for override in arguments.set for part in ("--set", override)]
    return ["--config", str(arguments.config), *overrides]
