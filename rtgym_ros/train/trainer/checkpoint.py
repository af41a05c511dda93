"""Checkpoints: a folder each, whole or not there at all; the newest one that is not damaged is used."""

from __future__ import annotations

import logging
import os
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import CheckpointError
from rtgym_ros.train.stream.sample_message import Bookmark

FORMAT = 2
_INFO = "checkpoint.json"
_KEPT = 2
_MAY_CHANGE = tuple(
    f"trainer.agent_kwargs.{name}"
    for name in ("learning_rate", "gamma", "tau", "target_update_interval", "target_entropy",
                 "top_quantiles_to_drop_per_net", "policy_delay")
)  # fmt: skip
"""Entries that may be others when training goes on: nothing that is in a checkpoint depends on them."""
_LEARNED = ("agent", "agent_kwargs", "learn_from", "frames")  # entries of the trainer that change what is learned


class Progress(msgspec.Struct, kw_only=True):
    """How far training has come.

    Attributes:
        samples: taken in, those of tests and resets among them.
        transitions: put into the replay memory.
        updates: done.
        version: of the weights that were published last; -1 for none.
        refused: samples that were not finite, and were left out.
        seconds: that training took, over all its processes (s).
    """

    samples: int = 0
    transitions: int = 0
    updates: int = 0
    version: int = -1
    refused: int = 0
    seconds: float = 0.0


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkpoint says of itself. Unknown entries are ignored.

    Attributes:
        settings: see :func:`settings_of`.
        schema: of the samples, MessagePack.
        progress: at that time.
        bookmark: behind the last samples that were taken in.
        next_seq: robot, boot, and the first sample of it that was not taken in.
        logs: how long the log files were (bytes).
        files: size (bytes) and CRC-32 of every other file.
        format: :data:`FORMAT`.
    """

    settings: dict[str, Any] = {}
    schema: bytes = b""
    progress: Progress = msgspec.field(default_factory=Progress)
    bookmark: Bookmark = Bookmark()
    next_seq: list[tuple[str, str, int]] = []
    logs: dict[str, int] = {}
    files: dict[str, tuple[int, int]] = {}
    format: int = FORMAT

    def known(self) -> dict[tuple[str, str], int]:
        """Return :attr:`next_seq` by robot and boot."""
        return {(robot, boot): seq for robot, boot, seq in self.next_seq}


class Checkpoints:
    """The checkpoints of a run, in a folder that is made. Only one process may use it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._whole: list[Path] = []
        for left in folder.glob(".writing*"):
            shutil.rmtree(left)  # by a process that was killed

    def newest(self) -> tuple[Path, Info] | None:
        """Return the folder and description of the newest checkpoint that is whole; None where there is none."""
        found: list[tuple[Path, Info]] = []
        for path in self._existing():
            try:
                found.append((path, _read(path)))
            except CheckpointError as error:
                logging.getLogger(__name__).warning("%s: %s; an older one is used", path, error)
        self._whole = [path for path, _ in found]
        return found[-1] if found else None

    def write(self, info: Info, write_files: Callable[[Path], None]) -> None:
        """Write a checkpoint, and delete those that are too many.

        Args:
            info: of it, but for ``files``.
            write_files: called with an empty folder.

        Raises:
            OSError: it could not be written, for example because the disk is full; the ones before are kept.
        """
        existing = self._existing()
        path = self._folder / f"{int(existing[-1].name) + 1 if existing else 1:08d}"
        writing = self._folder / f".writing-{path.name}"
        writing.mkdir()
        try:
            write_files(writing)
            info = msgspec.structs.replace(info, files=_sums(writing))
            (writing / _INFO).write_bytes(msgspec.json.format(msgspec.json.encode(info)))
            for entry in (*writing.rglob("*"), writing):
                _sync(entry)
            writing.rename(path)
        except BaseException:
            shutil.rmtree(writing, ignore_errors=True)
            raise
        _sync(self._folder)
        self._whole = [*self._whole, path][-_KEPT:]
        for old in existing:
            if old not in self._whole:
                shutil.rmtree(old)

    def discard(self) -> None:
        """Delete all of them: training begins anew."""
        for path in self._existing():
            shutil.rmtree(path)

    def _existing(self) -> list[Path]:
        return sorted(path for path in self._folder.iterdir() if path.name.isdigit())


def settings_of(config: TrainConfig) -> dict[str, Any]:
    """Return the entries that change what is learned, by their names in the file: not intervals, ends or addresses."""
    settings: dict[str, Any] = dict(_flat("environment", msgspec.to_builtins(config.environment)))
    for name in _LEARNED:
        settings |= _flat(f"trainer.{name}", msgspec.to_builtins(getattr(config.trainer, name)))
    return settings


def check_same(info: Info, config: TrainConfig) -> list[str]:
    """Refuse a checkpoint of another configuration.

    Returns:
        Which entries are others from now on, a phrase each, with both values.

    Raises:
        CheckpointError: entries differ that may not; it names each, with both values.
    """
    here = settings_of(config)
    names = [name for name in dict.fromkeys((*info.settings, *here)) if _say(info.settings, name) != _say(here, name)]
    changed = [name for name in names if name.startswith(_MAY_CHANGE)]
    differing = [
        f"{name} is {_say(info.settings, name)} in the checkpoint, {_say(here, name)} in the configuration"
        for name in names
        if name not in changed
    ]
    if differing:
        raise CheckpointError(
            f"the checkpoint is of another configuration: {'; '.join(differing)}. Begin anew with --reset-training, "
            "which keeps the samples"
        )
    return [f"{name} was {_say(info.settings, name)}, and is {_say(here, name)} from now on" for name in changed]


def _flat(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        # An empty map and a missing one are the same: nothing is set.
        return {} if value == {} else {name: value}
    return {key: item for entry in value for key, item in _flat(f"{name}.{entry}", value[entry]).items()}


def _say(settings: dict[str, Any], name: str) -> str:
    return msgspec.json.encode(settings[name]).decode() if name in settings else "not set"


def _read(path: Path) -> Info:
    try:
        info = msgspec.json.decode((path / _INFO).read_bytes(), type=Info)
        sums = _sums(path)
    except (OSError, msgspec.DecodeError) as error:
        raise CheckpointError(f"damaged: {error}") from error
    if info.format != FORMAT:
        raise CheckpointError(f"format {info.format} there, {FORMAT} here")
    if damaged := [name for name in sorted({*sums, *info.files}) if sums.get(name) != info.files.get(name)]:
        raise CheckpointError(f"damaged: {', '.join(damaged)}")
    return info


def _sums(folder: Path) -> dict[str, tuple[int, int]]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != _INFO]
    return {path.relative_to(folder).as_posix(): (path.stat().st_size, zlib.crc32(path.read_bytes())) for path in files}


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
