"""What recordings hold, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.reading import Episode, Run, read_episodes, recorded_files


@dataclass
class RunSummary:
    """A run, as far as it is in the files that were read.

    Attributes:
        run: its facts.
        episodes: begun in it.
        steps: time-steps, those of ``reset()`` too.
        missing: time-steps that were dropped while it was recorded.
        duration: from ``reset()`` to the end, all episodes together (s, in the environment's clock).
    """

    run: Run
    episodes: int = 0
    steps: int = 0
    missing: int = 0
    duration: float = 0.0


@dataclass
class Summary:
    """Several files.

    Attributes:
        runs: by their ids, in the order of the files.
        files: how many could be read.
        size: of them, bytes.
        refused: what is wrong with the others, a line each.
    """

    runs: dict[str, RunSummary] = field(default_factory=dict)
    files: int = 0
    size: int = 0
    refused: list[str] = field(default_factory=list)


def duration(episode: Episode) -> float:
    """Return how long an episode is (s), in the environment's clock."""
    return (episode.steps[-1].stamp_ns - episode.steps[0].stamp_ns) / 1e9


def summarise(paths: list[Path]) -> Summary:
    """Read everything and count; a file that cannot be read is described, and the others are read.

    Raises:
        RecordError: nothing is there.
    """
    summary = Summary()
    readable = []
    for file in recorded_files(paths):
        try:
            for _ in read_episodes(file):
                pass
        except RecordError as error:
            summary.refused.append(str(error))
        else:
            readable.append(file)
            summary.size += file.stat().st_size
    summary.files = len(readable)
    for episode in read_episodes(readable) if readable else ():
        run = summary.runs.setdefault(episode.run.id, RunSummary(episode.run))
        run.episodes += 1
        run.steps += len(episode.steps)
        run.missing += episode.missing
        run.duration += duration(episode)
    return summary
