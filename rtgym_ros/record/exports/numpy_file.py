"""Recordings as arrays of transitions, in one ``.npz`` file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rtgym_ros.record.exports.flown_episodes import Exported, Paths, flown_episodes
from rtgym_ros.record.time_step import Parts


def export_numpy(paths: Paths, output: str | Path) -> Exported:
    """Write one row a transition: what was observed, what was done, what came of it.

    Arrays of the file, N transitions each: ``observations/PART`` and ``next_observations/PART`` (N, ...),
    ``actions/PART`` (N, ...), ``rewards`` float64, ``terminations``, ``truncations`` bool, ``episodes`` int64 (counted
    from 0), ``stamps`` int64 (capture of the next observation, ns in the environment's clock). An observation or action
    that is one array has no ``/PART``. Everything is in memory once.

    Raises:
        RecordError: nothing to export.
        OSError: ``output`` cannot be written.
    """
    exported = Exported()
    columns: dict[str, list[Any]] = {}
    for episode in flown_episodes(paths, exported):
        for before, after in zip(episode.steps, episode.steps[1:], strict=False):
            row: dict[str, Any] = {
                **_named("observations", before.observation),
                **_named("next_observations", after.observation),
                **_named("actions", after.action),
                "rewards": after.reward,
                "terminations": after.terminated,
                "truncations": after.truncated,
                "episodes": exported.episodes - 1,
                "stamps": after.stamp_ns,
            }
            for name, value in row.items():
                columns.setdefault(name, []).append(value)
    arrays: dict[str, Any] = {name: np.array(values) for name, values in columns.items()}
    with Path(output).open("wb") as file:
        np.savez_compressed(file, **arrays)
    return exported


def _named(prefix: str, parts: Parts) -> dict[str, Any]:
    return {f"{prefix}/{name}" if name else prefix: array for name, array in parts}
