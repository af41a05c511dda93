"""Recordings as a table for pandas, Polars, DuckDB and the like: one row a time-step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from rtgym_ros.record.exports.flown_episodes import Exported, Paths, flown_episodes, numbers
from rtgym_ros.record.reading import Episode
from rtgym_ros.record.time_step import Parts


def export_parquet(paths: Paths, output: str | Path) -> Exported:
    """Write every time-step of the episodes, those of ``reset()`` too (``episode_step`` 0, no action).

    Columns: ``run``, ``episode``, ``episode_step``, ``index``, ``stamp`` (ns), ``reward``, ``terminated``,
    ``truncated``, ``observation/PART``, ``action/PART``, ``executed_action/PART`` (flat lists in C order, of the
    array's type), ``info/NAME`` (float64; delays and ages among them). A column that an episode lacks is null there.

    Raises:
        RecordError: nothing to export.
        OSError: ``output`` cannot be written.
    """
    exported = Exported()
    tables = [
        pyarrow.Table.from_pylist(list(_rows(episode)), schema=_schema(episode))
        for episode in flown_episodes(paths, exported)
    ]
    pyarrow.parquet.write_table(pyarrow.concat_tables(tables, promote_options="default"), output, compression="zstd")
    return exported


def _rows(episode: Episode) -> Iterator[dict[str, Any]]:
    for step in episode.steps:
        row: dict[str, Any] = {
            "run": episode.run.id, "episode": step.episode, "episode_step": step.episode_step, "index": step.index,
            "stamp": step.stamp_ns, "reward": step.reward,
            "terminated": step.terminated, "truncated": step.truncated,
        }  # fmt: skip
        for prefix, parts in _kinds(step.observation, step.action, step.executed_action):
            row.update({_column(prefix, name): array.ravel() for name, array in parts})
        row.update({f"info/{name}": value for name, value in numbers(step).items()})
        yield row


def _schema(episode: Episode) -> pyarrow.Schema:
    fields: dict[str, Any] = {
        "run": pyarrow.string(), "episode": pyarrow.uint64(), "episode_step": pyarrow.uint64(),
        "index": pyarrow.uint64(), "stamp": pyarrow.int64(), "reward": pyarrow.float64(),
        "terminated": pyarrow.bool_(), "truncated": pyarrow.bool_(),
    }  # fmt: skip
    for step in episode.steps:
        for prefix, parts in _kinds(step.observation, step.action, step.executed_action):
            for name, array in parts:
                fields.setdefault(_column(prefix, name), pyarrow.list_(pyarrow.from_numpy_dtype(array.dtype)))
        fields.update({f"info/{name}": pyarrow.float64() for name in numbers(step)})
    return pyarrow.schema(list(fields.items()))


def _kinds(observation: Parts, action: Parts, executed: Parts) -> list[tuple[str, Parts]]:
    return [("observation", observation), ("action", action), ("executed_action", executed)]


def _column(prefix: str, name: str) -> str:
    return f"{prefix}/{name}" if name else prefix
