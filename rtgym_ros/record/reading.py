"""Recordings as episodes of time-steps."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gymnasium import spaces
from mcap.exceptions import McapError
from mcap.reader import make_reader
from zstandard import ZstdError

from rtgym_ros.record.cdr_reader import decode
from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.mcap_file import EPISODE_RECORD, LABEL_RECORD, RUN_RECORD, TOPIC
from rtgym_ros.record.run_facts import FORMAT
from rtgym_ros.record.schema import SCHEMA_NAME
from rtgym_ros.record.space_text import space_from_text
from rtgym_ros.record.time_step import RecordedTimeStep

_KEYS = ("run", "episode")


@dataclass
class Run:
    """One environment, from its making to its closing.

    Attributes:
        facts: the metadata, see :func:`~rtgym_ros.record.run_facts.run_facts`.
        episodes: what is known of each episode beside its time-steps (``seed``, ``options``, ``success``, ``note``).
    """

    facts: Mapping[str, str]
    episodes: dict[int, dict[str, str]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The random id of the run."""
        return self.facts["run"]

    @property
    def observation_space(self) -> spaces.Space[Any]:
        """The space of the recorded observations."""
        return space_from_text(self.facts["observation_space"])

    @property
    def action_space(self) -> spaces.Space[Any]:
        """The space of the recorded actions."""
        return space_from_text(self.facts["action_space"])

    @property
    def config(self) -> dict[str, Any]:
        """The plain entries of the environment's configuration, {} for one that has none."""
        config: dict[str, Any] = json.loads(self.facts.get("config") or "{}")
        return config


@dataclass
class Episode:
    """The time-steps from one ``reset()`` on.

    Attributes:
        run: which run it belongs to.
        number: its number in the run.
        steps: the first one is what ``reset()`` returned, unless the recording begins later.
    """

    run: Run
    number: int
    steps: list[RecordedTimeStep] = field(default_factory=list)

    @property
    def facts(self) -> dict[str, str]:
        """What is known of it beside its time-steps."""
        return self.run.episodes.get(self.number, {})

    @property
    def missing(self) -> int:
        """Time-steps from ``reset()`` to the last one here that are not here."""
        return self.steps[-1].episode_step + 1 - len(self.steps)

    @property
    def is_over(self) -> bool:
        """Whether the last time-step here ended it."""
        return self.steps[-1].terminated or self.steps[-1].truncated


def recorded_files(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """Return the files that ``paths`` name, those of folders by their names, which is the order of recording.

    Raises:
        RecordError: nothing is there.
    """
    found: list[Path] = []
    for path in [Path(paths)] if isinstance(paths, str | Path) else map(Path, paths):
        files = sorted(path.glob("*.mcap")) if path.is_dir() else [path]
        if not files or not files[0].exists():
            raise RecordError(f"{path}: {'no .mcap file in it' if path.is_dir() else 'there is no such file'}")
        found.extend(files)
    return found


def read_runs(file: Path) -> dict[str, Run]:
    """Return the runs that a file has parts of, by their ids; {} for one in which nothing stands.

    Raises:
        RecordError: the file is damaged, not closed, or not one of ours.
    """
    runs: dict[str, Run] = {}
    with file.open("rb") as stream, errors_of(file):
        reader = make_reader(stream)
        for record in reader.iter_metadata():
            if record.name == RUN_RECORD:
                if record.metadata.get("format") != FORMAT:
                    raise RecordError(f"{file}: format {record.metadata.get('format')!r}; this version reads {FORMAT}")
                runs.setdefault(record.metadata["run"], Run(record.metadata))
            elif record.name in (EPISODE_RECORD, LABEL_RECORD) and record.metadata.get("run") in runs:
                facts = {name: text for name, text in record.metadata.items() if text and name not in _KEYS}
                runs[record.metadata["run"]].episodes.setdefault(int(record.metadata["episode"]), {}).update(facts)
        if not runs and any(True for _ in reader.iter_messages()):
            raise RecordError(f"{file}: an MCAP file, but not one that rtgym_ros recorded")
    return runs


def read_time_steps(file: Path) -> Iterator[tuple[str, RecordedTimeStep]]:
    """Yield the run's id and the time-step of each message, in the order of recording.

    Raises:
        RecordError: the file is damaged or not closed.
    """
    with file.open("rb") as stream, errors_of(file):
        messages = make_reader(stream, validate_crcs=True).iter_messages(TOPIC, log_time_order=False)
        for schema, channel, message in messages:
            if schema is not None and schema.name == SCHEMA_NAME:
                yield channel.metadata.get("run", ""), decode(message.data)


def read_episodes(paths: str | Path | Iterable[str | Path]) -> Iterator[Episode]:
    """Yield the episodes of files and folders, one in memory at a time; one may go over several files.

    Raises:
        RecordError: a file is damaged or not closed (``recording repair`` mends both), or nothing is there.
    """
    runs: dict[str, Run] = {}
    episode: Episode | None = None
    for file in recorded_files(paths):
        for run_id, run in read_runs(file).items():
            known = runs.setdefault(run_id, run).episodes
            for number, facts in run.episodes.items():
                known.setdefault(number, {}).update(facts)
        for run_id, step in read_time_steps(file):
            if episode is None or (episode.run.id, episode.number) != (run_id, step.episode):
                if episode is not None:
                    yield episode
                episode = Episode(runs[run_id], step.episode)
            episode.steps.append(step)
    if episode is not None:
        yield episode


@contextmanager
def errors_of(file: Path) -> Iterator[None]:
    """Turn what the MCAP library raises into one line that names the file and what to do."""
    try:
        yield
    except RecordError as error:
        raise error if str(error).startswith(str(file)) else RecordError(f"{file}: {error}") from error
    except (McapError, ValueError, struct.error, ZstdError) as error:
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise RecordError(
            f"{file}: not closed, or damaged ({why}): `recording repair {file}` saves what is in it"
        ) from error
