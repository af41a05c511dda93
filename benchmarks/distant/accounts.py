"""Whether every sample that was made is where it belongs, once: from the traces of the environment to the learner."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from benchmarks.distant.drone import BOOTS, SERIALS
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.stream.learner_link import LearnerLink
from rtgym_ros.train.trainer.checkpoint import Checkpoints

Sample = tuple[int, int]
"""Number of the boot, number of the sample in it."""


@dataclass
class Accounts:
    """All of it must hold, each with what was found.

    Attributes:
        claims: what must hold, whether it does, and the numbers.
        figures: counts.
    """

    claims: list[tuple[str, bool, str]]
    figures: dict[str, int]


def balance(config: TrainConfig, traces: list[np.ndarray], killed_boots: int) -> Accounts:
    """Compare what the environment made with what stream and trainer have; the server runs, all others have ended.

    Args:
        config: of the run; its stream keeps all samples.
        traces: of every boot of the control process.
        killed_boots: how many of them were killed: each may lose the one sample that was in its hands.
    """
    found = Checkpoints(config.folder / "trainer" / "checkpoints").newest()
    assert found is not None
    progress = found[1].progress
    stream = read_stream(config)
    made = [(boot, serial) for boot, records in enumerate(traces) for serial in range(len(records))]
    missing = set(made) - set(stream)
    lost_tails = {(boot, len(records) - 1) for boot, records in enumerate(traces)}
    in_order = all(
        serials == sorted(serials) for serials in ([s for b, s in stream if b == boot] for boot in range(len(traces)))
    )
    episodes = [json.loads(line) for line in (config.folder / "trainer" / "episodes.jsonl").read_text().splitlines()]
    names = Counter((one["boot"], one["episode"]) for one in episodes)
    claims = [
        ("every sample made is in the stream, but for one in the hands of a killed process",
         len(missing) <= killed_boots and missing <= lost_tails, f"{len(made)} made, {len(stream)} in the stream"),
        ("none is there twice, and those of a boot are in order", len(stream) == len(set(stream)) and in_order, ""),
        ("the trainer counted every sample once", progress.samples <= len(stream)
         and len(stream) - progress.samples < 2000, f"{progress.samples} of {len(stream)} when it ended"),
        ("every episode is told once", max(names.values()) == 1, f"{len(episodes)} told"),
    ]  # fmt: skip
    figures = {"made": len(made), "in the stream": len(stream), "trained on": progress.samples,
               "transitions": progress.transitions, "updates": progress.updates, "boots": len(traces)}  # fmt: skip
    return Accounts(claims, figures)


def read_stream(config: TrainConfig) -> list[Sample]:
    """Return every sample that is in the stream, in its order."""
    found: list[Sample] = []
    with closing(LearnerLink(config)) as link:
        schema = link.wait_for_schema(30.0)
        assert schema is not None
        last = [name for name, _, _ in schema.fields if name.startswith("observation/")][-1]
        while not link.has_caught_up:
            for batch in link.collect(0.5):
                found += _marks(batch.records[last])
    return found


def _marks(values: np.ndarray) -> list[Sample]:
    boots, serials = np.rint(values[:, 0] * BOOTS), np.rint(values[:, 1] * SERIALS)
    return list(zip(boots.astype(int).tolist(), serials.astype(int).tolist(), strict=True))
