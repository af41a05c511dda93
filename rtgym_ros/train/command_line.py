"""The arguments that every program of a run takes."""

from __future__ import annotations

import argparse
from pathlib import Path

from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.config_file import load_config


def config_parser(program: str, description: str | None) -> OneLineParser:
    """Return a parser with ``--config`` and ``--set``.

    Args:
        program: its name, as errors say it.
        description: for ``--help``.
    """
    parser = OneLineParser(program, description=description)
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="of the run (YAML)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.ENTRY=VALUE", help="instead of what the file says"
    )
    return parser


def config_of(options: argparse.Namespace) -> TrainConfig:
    """Return the configuration that the arguments ask for.

    Raises:
        ConfigError: it cannot be read, or is wrong.
    """
    return load_config(options.config, tuple(options.set))
