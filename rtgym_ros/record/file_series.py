"""The files of a run, one after the other."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.record.mcap_file import EPISODE_RECORD, McapFile
from rtgym_ros.record.recorded_topic import RecordedTopic

Split = Literal["episode"] | int
"""When a new file begins: with each episode, or when a file has this many bytes."""


def check_split(split: Split) -> None:
    """Refuse what is neither ``"episode"`` nor a size.

    Raises:
        ConfigError: saying so.
    """
    if split != "episode" and (isinstance(split, bool) or not isinstance(split, int) or split < 1):
        raise ConfigError(f"split must be 'episode' or a number of bytes, 1 or more, got {split!r}")


class FileSeries:
    """Opens a file when there is something to write and begins the next one when it is time; each stands by itself.

    Args:
        folder: made where it is missing.
        run: metadata of each file.
        split: when a new file begins.

    Raises:
        OSError: from every method that writes. After it the file is abandoned, and the next call opens another.
    """

    def __init__(self, folder: Path, run: Mapping[str, str], split: Split) -> None:
        self._folder = folder
        self._run = run
        self._split = split
        self._prefix = time.strftime("%Y%m%d_%H%M%S") + "_" + run["run"][:6]
        self._number = 0
        self._file: McapFile | None = None
        self._episode: Mapping[str, str] | None = None
        self.path: Path | None = None
        """The latest file."""

    def begin_episode(self, facts: Mapping[str, str]) -> None:
        """Note what is known of the episode to come; with ``split="episode"`` its file begins."""
        self._episode = facts
        if self._split == "episode":
            self.close()
        if self._file is not None:
            self._file.add_metadata(EPISODE_RECORD, facts)
        else:
            self._current()

    def write(
        self, topic: RecordedTopic, log_time_ns: int, publish_time_ns: int, sequence: int, message: bytes
    ) -> None:
        """Add a message."""
        self._current().write(topic, log_time_ns, publish_time_ns, sequence, message)

    def add_metadata(self, name: str, facts: Mapping[str, str]) -> None:
        """Add texts under a name."""
        self._current().add_metadata(name, facts)

    def flush(self) -> None:
        """Hand everything over to the operating system; begin the next file if this one is full."""
        if self._file is None:
            return
        self._file.flush()
        if self._split != "episode" and self._file.bytes_written >= self._split:
            self.close()

    def close(self) -> None:
        """Close the file in its proper form."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except BaseException:
                file.abandon()
                raise

    def abandon(self) -> None:
        """Leave the file as it is."""
        file, self._file = self._file, None
        if file is not None:
            file.abandon()

    def _current(self) -> McapFile:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = McapFile(self._folder / f"{self._prefix}_{self._number:05d}.mcap", self._run)
            self.path = self._file.path
            self._number += 1
            if self._episode is not None:
                self._file.add_metadata(EPISODE_RECORD, self._episode)
        return self._file
