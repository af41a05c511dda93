"""What the trainer wrote down of a run: one JSON object a line, an episode each."""

from __future__ import annotations

from pathlib import Path

import msgspec

EPISODES_FILE = "episodes.jsonl"


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


_decoder = msgspec.json.Decoder(EpisodeRecord)


def read_episodes(folder: Path) -> list[EpisodeRecord]:
    """Return all episodes of a trainer's folder, in the order of their end, without a line that is being written."""
    path = folder / EPISODES_FILE
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [_decoder.decode(line) for line in lines if line.endswith(b"\n")]
