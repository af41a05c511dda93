"""Distributions, one peer over the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.peers import COLOURS
from benchmarks.pictures.canvas import make_logarithmic, new_figure, save
from benchmarks.results import Results
from benchmarks.statistics import beyond

_SHOWN_US = 300
"""On both sides of the nominal interval; what is beyond counts in the outermost bins."""

_LEAST_US = 0.01
"""Where the logarithmic axis begins."""

_MOST_POINTS = 2000


def draw_intervals(results: Results, name: str, cases: Sequence[str], peers: Sequence[str], file: Path) -> Path:
    """Draw histograms of the intervals from send to send and from capture to capture, a column for each case."""
    rows = {"send_deviation": "send to send", "capture_deviation": "capture to capture"}
    figure, grid = new_figure(len(rows), max(len(cases), 1), sharex=True)
    bins = np.linspace(-_SHOWN_US, _SHOWN_US, 121)
    for axes_row, (sample, label) in zip(grid, rows.items(), strict=True):
        for axes, case in zip(axes_row, cases, strict=False):
            for peer in reversed(peers):  # ours above theirs
                deviations = results.samples(name, case, peer, sample)
                if deviations.size:
                    shown = np.clip(deviations, -_SHOWN_US, _SHOWN_US)
                    weights = np.full(len(shown), 100 / len(shown))
                    axes.hist(shown, bins, weights=weights, histtype="step", color=COLOURS[peer], label=peer)
            axes.set(title=case, xlabel=f"{label}, less the nominal (µs)", ylabel="time-steps (%)", yscale="log")
            axes.grid(alpha=0.3)
    return save(figure, file, "Intervals between two sends and two captures")


def draw_tails(
    results: Results, name: str, cases: Sequence[str], peers: Sequence[str], rows: Mapping[str, str], file: Path
) -> Path:
    """Draw which share of the time-steps is beyond a value: a row for each of the samples, a column for each case."""
    panels = [(case, sample, label) for sample, label in rows.items() for case in cases]
    columns = len(cases) if len(cases) > 1 else len(rows)
    figure, grid = new_figure(len(panels) // columns, columns)
    for axes, (case, sample, label) in zip(grid.flat, panels, strict=True):
        for peer in reversed(peers):
            values, shares = beyond(np.abs(results.samples(name, case, peer, sample)))
            if values.size:
                kept = _spread(len(values))
                shown = np.maximum(values[kept], _LEAST_US)
                axes.plot(shown, 100 * shares[kept], color=COLOURS[peer], label=peer, drawstyle="steps-post")
        axes.set(title=case, xlabel=f"{label} (µs)", ylabel="time-steps beyond (%)")
        axes.grid(alpha=0.3, which="both")
        if axes.lines:
            make_logarithmic(axes.xaxis)
            make_logarithmic(axes.yaxis)
    return save(figure, file, f"{name}: how many time-steps are worse than that")


def _spread(number: int) -> np.ndarray:
    """Return indices of at most a few thousand points, denser towards the tail, where each one shows."""
    if number <= _MOST_POINTS:
        return np.arange(number)
    from_the_end = np.unique(np.geomspace(1, number, _MOST_POINTS).astype(int))
    return np.sort(number - from_the_end)
