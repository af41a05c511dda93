"""Figures over the time of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.peers import COLOURS
from benchmarks.pictures.canvas import new_figure, save
from benchmarks.results import Results


def draw_history(
    results: Results, name: str, case: str, peers: Sequence[str], time: str, rows: Mapping[str, str], file: Path
) -> Path:
    """Draw a panel for each sample of ``rows``, which labels them, over the sample ``time``."""
    figure, grid = new_figure(1, len(rows), width=5.5)
    for axes, (sample, label) in zip(grid[0], rows.items(), strict=True):
        for peer in peers:
            values = results.samples(name, case, peer, sample)
            axes.plot(results.samples(name, case, peer, time), values, ".", color=COLOURS[peer], label=peer)
        axes.set(xlabel=f"time ({time})", ylabel=label)
        axes.set_ylim(0, max(1.2 * axes.get_ylim()[1], 1.0))
        axes.grid(alpha=0.3)
    return save(figure, file, "A long run at 1 kHz")
