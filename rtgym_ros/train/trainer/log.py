"""Where the figures go: two files of JSON lines, TensorBoard, and Weights & Biases where it is wanted."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from functools import partial
from io import FileIO
from pathlib import Path
from time import time
from typing import Any

import msgspec
from typing_extensions import Self

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.trainer.checkpoint import Progress
from rtgym_ros.train.trainer.transitions import Episode

_log = logging.getLogger(__name__)


class TrainerLog:
    """``statistics.jsonl`` (an object a round), ``episodes.jsonl`` (one an ended episode) and ``tensorboard/``.

    Args:
        folder: of the run; it is there.
        config: of the run.
        lengths: how long the files were (bytes) at the checkpoint that training goes on from: what was written later
            is cut off, because it will happen again. Empty for a new run.

    Raises:
        ConfigError: ``trainer.wandb`` is set, and wandb is not installed.
    """

    def __init__(self, folder: Path, config: TrainConfig, lengths: dict[str, int]) -> None:
        from stable_baselines3.common.logger import TensorBoardOutputFormat

        self._told: set[str] = set()
        self._wandb = _start_wandb(folder, config) if config.trainer.wandb else None
        self._files = {}
        for name in ("statistics.jsonl", "episodes.jsonl"):
            file = (folder / name).open("ab", buffering=0)  # a line is there whole, or an error now
            file.truncate(min(lengths.get(name, 0), file.tell()))
            file.seek(0, 2)
            self._files[name] = file
        self._make_writer: Callable[[], Any] = partial(TensorBoardOutputFormat, str(folder / "tensorboard"))
        self._tensorboard = self._make_writer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self._try("TensorBoard", self._tensorboard.close)
        for file in self._files.values():
            file.close()
        if self._wandb is not None:
            self._try("Weights & Biases", partial(self._wandb.finish, exit_code=int(kind is not None)))

    def lengths(self) -> dict[str, int]:
        """Return how long the files are (bytes)."""
        return {name: file.tell() for name, file in self._files.items()}

    def round(self, epoch: int, number: int, figures: dict[str, Any]) -> None:
        """Write the figures of a round, by name; epochs, and rounds in them, are numbered from 0."""
        self._write("statistics.jsonl", {"epoch": epoch, "round": number, "time": time(), **figures})
        told = {name: value for name, value in figures.items() if value is not None}
        self._try("TensorBoard", partial(self._to_tensorboard, told, figures["updates"]))
        if self._wandb is not None:
            self._try("Weights & Biases", partial(self._wandb.log, told))

    def episode(self, episode: Episode, progress: Progress) -> None:
        """Write an episode that has ended."""
        now = {"samples": progress.samples, "updates": progress.updates, "seconds": round(progress.seconds, 3)}
        self._write("episodes.jsonl", {**msgspec.to_builtins(episode), **now, "time": time()})

    def _to_tensorboard(self, told: dict[str, Any], updates: int) -> None:
        try:
            self._tensorboard.write(told, dict.fromkeys(told, ()), updates)
        except OSError:
            self._tensorboard = self._make_writer()  # one that could not write never writes again
            raise

    def _write(self, name: str, values: dict[str, Any]) -> None:
        self._try(name, partial(_append, self._files[name], msgspec.json.encode(values) + b"\n"))

    def _try(self, what: str, write: Callable[[], None]) -> None:
        """Write, and go on training if that cannot be done, for example because a disk is full; it is told once."""
        try:
            write()
        except Exception as error:  # of a library of somebody else's, W&B's among them
            if what not in self._told:
                self._told.add(what)
                _log.warning("figures are lost, training goes on: %s: %s", what, error)


def _append(file: FileIO, line: bytes) -> None:
    end = file.seek(0, 2)
    if file.write(line) != len(line):  # a full disk takes what still fits
        file.truncate(end)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _start_wandb(folder: Path, config: TrainConfig) -> Any:
    try:
        import wandb
    except ImportError as error:
        raise ConfigError("trainer.wandb is set, and the package wandb is not installed: pip install wandb") from error
    try:
        names = {"project": config.trainer.wandb, "name": config.run, "id": config.run}
        return wandb.init(**names, resume="allow", dir=str(folder), config=msgspec.to_builtins(config))
    except Exception as error:  # it is away, or the key is wrong
        _log.warning("training goes on without Weights & Biases: %s", error)
        return None
