"""What the trainer wrote down of a run: one JSON object a line, an episode or a round."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

EPISODES_FILE = "episodes.jsonl"
STATISTICS_FILE = "statistics.jsonl"


class EpisodeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One finished episode; the file tells more.

    Attributes:
        worker: whose it was.
        test: whether it was a test episode: deterministic, not learned from.
        episode_return: sum of its rewards.
        length: time-steps.
        terminated: whether it ended by itself, and not by its length.
        timeouts: time-steps of it that began too late.
        samples: that the trainer had by then.
        seconds: that training took by then (s).
    """

    worker: str
    test: bool
    episode_return: float = msgspec.field(name="return")
    length: int
    terminated: bool
    timeouts: int
    samples: int
    seconds: float


class JsonLines:
    """A file that grows: each call returns what is new, whole lines only.

    Args:
        path: of the file, which need not be there yet. Where it got shorter it is read again from its beginning.
        kind: of an object.
    """

    def __init__(self, path: Path, kind: Any = dict) -> None:
        self._path = path
        self._decode = msgspec.json.Decoder(kind).decode
        self._position = 0

    def read(self) -> Iterator[Any]:
        """Yield the objects that came since the last call."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            if file.seek(0, 2) < self._position:
                self._position = 0
            file.seek(self._position)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._position += len(line)
                yield self._decode(line)


def read_episodes(folder: Path) -> list[EpisodeRecord]:
    """Return all episodes of a trainer's folder, in the order of their end."""
    return list(JsonLines(folder / EPISODES_FILE, EpisodeRecord).read())
