"""Whether every sample that was made is where it belongs, once: from the traces of the environment to the memory."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from benchmarks.distant.drone import BOOTS, SERIALS
from rtgym_ros.train.protocol.schema import from_columns
from rtgym_ros.train.server.journal import Journal
from rtgym_ros.train.server.ledger import Ledger
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


def balance(folder: Path, run: str, traces: list[np.ndarray], killed_boots: int) -> Accounts:
    """Compare what the environment made with what server and trainer have, after all of them have ended.

    Args:
        folder: of the run.
        run: its name.
        traces: of every boot of the control process.
        killed_boots: how many of them were killed: each may lose the one sample that was in its hands.
    """
    found = Checkpoints(folder / "trainer" / "checkpoints").newest()
    assert found is not None
    path, info = found
    progress = info.progress
    journal = Journal(folder / "server" / "journal")
    ledger = Ledger(folder / "server" / "ledger.msgpack", run, lambda: 0.0)
    queued = _queued(journal, progress.position, info.schema)
    memory = load_file(path / "agent" / "memory.safetensors")
    before, after = (_marks(memory[name][:, 0, -2:]) for name in ("observations", "next_observations"))
    trained = Counter(zip(before, after, strict=True))
    # What of the traces has come to the trainer: all up to where the queue begins, boot by boot.
    first_queued = {boot: min(serial for b, serial in queued if b == boot) for boot, _ in queued}
    made = [(boot, serial) for boot, records in enumerate(traces) for serial in range(len(records))]
    at_trainer = {(boot, serial) for boot, serial in made if serial < first_queued.get(boot, len(traces[boot]))}
    missing = max(len(made) - progress.position - len(queued), 0)
    lost_tails = {(boot, len(records) - 1) for boot, records in enumerate(traces[:-1])}
    expected = {((b, s - 1), (b, s)) for b, s in at_trainer if s and traces[b]["lateness_ns"][s] >= 0}
    absent = expected - trained.keys()
    taken_in = sum(worker.samples for worker in ledger.figures())
    dropped = sum(worker.dropped for worker in ledger.figures())
    episodes = [json.loads(line) for line in (folder / "trainer" / "episodes.jsonl").read_text().splitlines()]
    names = Counter((one["boot"], one["episode"]) for one in episodes)
    ends = sum(int(traces[b]["ended"][s]) for b, s in at_trainer)
    claims = [
        ("every sample made is at the trainer or in the queue, but for one in the hands of a killed process",
         missing <= killed_boots and len(queued) == len(set(queued)) and set(queued) <= set(made),
         f"{len(made)} made, {progress.position} taken, {len(queued)} queued"),
        ("the server counted none twice and gave up none",
         taken_in == journal.end == ledger.position == progress.position + len(queued) and dropped == 0,
         f"ledger {taken_in}, journal {journal.end}, given up {dropped}"),
        ("the trainer counted every sample once", progress.samples == progress.position,
         f"samples {progress.samples}, position {progress.position}"),
        ("every transition is in the replay memory, once",
         not (trained.keys() - expected) and all(pair[1] in lost_tails for pair in absent)
         and len(absent) <= killed_boots and max(trained.values()) == 1,
         f"{len(expected)} made, {len(trained)} there, {len(absent)} absent, at most {max(trained.values())} times"),
        ("every episode is told once", max(names.values()) == 1 and 0 <= ends - len(episodes) <= killed_boots,
         f"{ends} ended, {len(episodes)} told"),
    ]  # fmt: skip
    figures = {
        "made": len(made), "taken": progress.position, "queued": len(queued), "in flight at a kill": missing,
        "transitions": progress.transitions, "updates": progress.updates, "boots": len(traces),
        "duplicates refused": sum(worker.duplicates for worker in ledger.figures()),
    }  # fmt: skip
    journal.close()
    return Accounts(claims, figures)


def _queued(journal: Journal, position: int, schema) -> list[Sample]:
    found = []
    for batch in journal.read_all(position):
        records = from_columns(schema, batch.columns, batch.count)
        found += _marks(records[schema.observation_names[-1]])
    return found


def _marks(values: np.ndarray) -> list[Sample]:
    boots, serials = np.rint(values[:, 0] * BOOTS), np.rint(values[:, 1] * SERIALS)
    return list(zip(boots.astype(int).tolist(), serials.astype(int).tolist(), strict=True))
