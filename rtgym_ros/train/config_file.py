"""A configuration from a file, a command line or plain dictionaries: checked, entry by entry and together."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from rtgym_ros.core.errors import ConfigError, nearest
from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.train.config import TrainConfig, TrainerConfig


def config_parser(program: str, description: str | None) -> OneLineParser:
    """Return a parser with ``--config`` and ``--set``, for every program of a run."""
    parser = OneLineParser(program, description=description)
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="of the run (YAML)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.ENTRY=VALUE", help="instead of what the file says"
    )
    return parser


def load_config(path: Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a configuration.

    Args:
        path: of the YAML file.
        overrides: ``"section.entry=VALUE"``, the value as in YAML.

    Raises:
        ConfigError: it cannot be read, or an entry is unknown, wrong or out of range.
    """
    try:
        values = yaml.safe_load(path.read_text())
        for override in overrides:
            _override(values, override)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from error
    return make_config(values, str(path))


def make_config(values: Any, source: str = "the configuration") -> TrainConfig:
    """Return a validated configuration of plain dictionaries.

    Raises:
        ConfigError: an entry is unknown, wrong or out of range.
    """
    if not isinstance(values, dict):
        raise ConfigError(f"{source} must be a map of entries, got {type(values).__name__}")
    _refuse_unknown(values, TrainConfig, "", source)
    try:
        config = msgspec.convert(values, TrainConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{source}: {error}") from error
    _refuse_to_wait_for_each_other(config, source)
    for section in ("server", "worker", "trainer"):
        for url in getattr(config, section).url:
            if not _is_address(url):
                raise ConfigError(f"{source}: {section}.url must be nats://HOST:PORT, got {url!r}")
    return config


def to_yaml(config: TrainConfig) -> str:
    """Return a configuration as a file that :func:`load_config` reads."""
    return str(yaml.safe_dump(msgspec.to_builtins(config), sort_keys=False))


def steps_per_version(trainer: TrainerConfig) -> int:
    """Return how many time-steps it takes until the trainer may publish another version of the weights."""
    return ceil(trainer.publish_interval / trainer.max_updates_per_sample)


def _refuse_to_wait_for_each_other(config: TrainConfig, source: str) -> None:
    """In the synchronous mode the worker waits for weights, while the trainer may be waiting for samples."""
    worker, trainer = config.worker, config.trainer
    if worker.max_steps_per_update is None:
        return
    steps = steps_per_version(trainer)
    for name, value, least in (
        ("max_steps_per_update", worker.max_steps_per_update, steps),
        ("initial_steps", worker.initial_steps, max(steps, trainer.start_training)),
    ):
        if value < least:
            raise ConfigError(
                f"{source}: worker.{name} must be at least {least}, got {value:g}: with fewer time-steps the trainer "
                "(start_training, publish_interval, max_updates_per_sample) makes no weights for the worker to wait for"
            )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("nats", "tls") and bool(parts.hostname and parts.port) and not parts.path
    except ValueError:
        return False


def _override(values: dict[str, Any], override: str) -> None:
    name, equals, text = override.partition("=")
    if not equals:
        raise ConfigError(f"an override is written section.entry=VALUE, got {override!r}")
    *sections, entry = name.split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{override!r}: {section} has no entries")
    values[entry] = yaml.safe_load(text)


def _refuse_unknown(values: dict[str, Any], kind: type[msgspec.Struct], prefix: str, source: str) -> None:
    """Name an entry and its nearest: msgspec does the one only."""
    known = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for name, value in values.items():
        if name not in known:
            raise ConfigError(f"{source}: unknown entry {prefix}{name}{nearest(str(name), list(known))}")
        if isinstance(value, dict) and hasattr(known[name], "__struct_fields__"):
            _refuse_unknown(value, known[name], f"{name}.", source)
