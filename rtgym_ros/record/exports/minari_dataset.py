"""Recordings as a Minari data set."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan
from typing import Any

import minari
import numpy as np
from minari.data_collector import EpisodeBuffer

from rtgym_ros.record.exports.flown_episodes import (
    Exported,
    Paths,
    actions,
    flown_episodes,
    numbers,
    observations,
    stack,
)
from rtgym_ros.record.reading import Episode


def export_minari(paths: Paths, dataset_id: str, description: str = "") -> Exported:
    """Create a data set that ``minari.load_dataset(dataset_id)`` reads, where Minari keeps its own.

    Observations and actions keep their spaces and bits (images are not made JPEGs). The recorded numbers of ``info``
    (ages and delays among them) become Minari's infos, '.' for '/', NaN where a time-step has none.

    Args:
        paths: files and folders.
        dataset_id: as Minari wants it, ``robot/task-v0`` for example.
        description: for Minari's metadata.

    Raises:
        RecordError: nothing to export.
        ValueError: Minari refuses the id, or has such a data set already.
    """
    exported = Exported()
    first = next(flown_episodes(paths, Exported())).run
    minari.create_dataset_from_buffers(
        dataset_id,
        _buffers(paths, exported),
        observation_space=first.observation_space,
        action_space=first.action_space,
        description=description or f"Recorded by rtgym_ros: {first.facts['environment']}",
        jpeg_encoding=False,
    )
    return exported


def _buffers(paths: Paths, exported: Exported) -> Iterator[EpisodeBuffer]:
    for episode in flown_episodes(paths, exported):
        seed = episode.facts.get("seed")
        yield EpisodeBuffer(
            id=exported.episodes - 1,
            seed=int(seed) if seed else None,
            observations=stack(episode.run.observation_space, observations(episode)),
            actions=stack(episode.run.action_space, actions(episode)),
            rewards=[step.reward for step in episode.steps[1:]],
            terminations=[step.terminated for step in episode.steps[1:]],
            truncations=[step.truncated for step in episode.steps[1:]],
            infos=_infos(episode),
        )


def _infos(episode: Episode) -> dict[str, Any]:
    rows = [numbers(step) for step in episode.steps]
    names = sorted({name for row in rows for name in row})
    return {name.replace("/", "."): np.array([row.get(name, nan) for row in rows]) for name in names}
