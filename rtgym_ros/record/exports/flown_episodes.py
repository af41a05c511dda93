"""Recorded episodes as learners see them: T + 1 observations, T actions and rewards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.parts import from_parts
from rtgym_ros.record.reading import Episode, Run, read_episodes
from rtgym_ros.record.time_step import RecordedTimeStep

Paths = str | Path | Iterable[str | Path]


@dataclass
class Exported:
    """What was exported.

    Attributes:
        episodes: how many.
        steps: time-steps in them, without those of ``reset()``.
        skipped: why episodes are left out, a line each.
    """

    episodes: int = 0
    steps: int = 0
    skipped: list[str] = field(default_factory=list)


def flown_episodes(paths: Paths, exported: Exported) -> Iterator[Episode]:
    """Yield the episodes that can be learned from, and count them.

    Left out are episodes with missing time-steps, whose actions would stand beside the wrong observations, and those
    that ended before the first ``step()``.

    Raises:
        RecordError: a file cannot be read, has other spaces than the first one, or nothing can be exported.
    """
    first: Run | None = None
    for episode in read_episodes(paths):
        first = first or episode.run
        for name in "observation_space", "action_space":
            if episode.run.facts[name] != first.facts[name]:
                raise RecordError(f"run {episode.run.id} has another {name} than run {first.id}: export them apart")
        if episode.missing:
            exported.skipped.append(f"episode {episode.number}: {episode.missing} time-steps are missing")
        elif len(episode.steps) < 2:
            exported.skipped.append(f"episode {episode.number}: it ends before the first step()")
        else:
            exported.episodes += 1
            exported.steps += len(episode.steps) - 1
            yield episode
    if not exported.episodes:
        raise RecordError(f"nothing to export: {'; '.join(exported.skipped) or 'no time-steps are in it'}")


def observations(episode: Episode) -> list[Any]:
    """Return the T + 1 observations, as the environment gave them."""
    space = episode.run.observation_space
    return [from_parts(space, step.observation) for step in episode.steps]


def actions(episode: Episode) -> list[Any]:
    """Return the T actions, as the agent gave them: the one of index i answered observation i."""
    space = episode.run.action_space
    return [from_parts(space, step.action) for step in episode.steps[1:]]


def stack(space: spaces.Space[Any], values: list[Any]) -> Any:
    """Return the values of one space as arrays with a first axis more, in the structure of the space."""
    if isinstance(space, spaces.Dict):
        return {key: stack(child, [value[key] for value in values]) for key, child in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(stack(child, [value[i] for value in values]) for i, child in enumerate(space.spaces))
    return np.stack([np.asarray(value) for value in values])


def numbers(step: RecordedTimeStep) -> dict[str, float]:
    """Return the recorded numbers of ``info``: ages and delays too, by flat names."""
    return {**step.info, **step.delays, **{f"ages/{name}": age for name, age in step.ages.items()}}
