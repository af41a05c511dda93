"""The picture of a run: what an episode returned, and how many reached their end, over the samples so far."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

_WINDOW, _FEWEST = 50, 10  # episodes that a point of a curve is made of, and where there are no more yet


def read_episodes(folder: Path) -> list[dict[str, Any]]:
    """Return all episodes of a trainer's folder, in the order of their end, without a line that is being written.

    Each has ``return`` (sum of the rewards), ``terminated`` (it ended by itself, and not by its length), ``test``,
    ``samples`` (that the trainer had by then), and more.
    """
    path = folder / "episodes.jsonl"
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def save_learning_curve(
    path: Path, runs: Mapping[str, Sequence[Sequence[dict[str, Any]]]], rate_hz: float | None = None
) -> None:
    """Write a PNG: for each name a colour, for each of its runs a line.

    Args:
        path: the file to write.
        runs: episodes in the order of their end, by run and by name.
        rate_hz: time-steps a second of a robot: gives the upper axis, minutes of flight; None leaves it out.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.3, 3.8), layout="constrained")
    FigureCanvasAgg(figure)  # a picture needs no window system
    returns, success = figure.subplots(1, 2)
    for number, (name, group) in enumerate(runs.items()):
        for index, episodes in enumerate(group):
            label = name if index == 0 else None
            _draw(returns, success, [e for e in episodes if not e["test"]], f"C{number}", label)
    returns.set(xlabel="samples", ylabel=f"return (median of {_WINDOW} episodes)")
    success.set(xlabel="samples", ylabel=f"targets reached (% of {_WINDOW} episodes)", ylim=(-3, 103))
    for axes in (returns, success):
        axes.grid(alpha=0.3)
        axes.ticklabel_format(axis="x", style="plain")
        if rate_hz is not None:
            both_ways = partial(np.multiply, 1.0 / (60.0 * rate_hz)), partial(np.multiply, 60.0 * rate_hz)
            axes.secondary_xaxis("top", functions=both_ways).set_xlabel("minutes of flight")
    if returns.get_legend_handles_labels()[0]:
        returns.legend(loc="lower right")
    figure.savefig(path, dpi=100)


def _draw(returns: Any, success: Any, episodes: Sequence[dict[str, Any]], color: str, label: str | None) -> None:
    if not episodes:
        return
    values = np.array([e["return"] for e in episodes])
    ended = np.array([e["terminated"] for e in episodes], dtype=float)
    first = min(_FEWEST, len(episodes))
    points = [slice(max(0, end - _WINDOW), end) for end in range(first, len(episodes) + 1)]
    x = [e["samples"] for e in episodes[first - 1 :]]
    low, middle, high = np.array([np.percentile(values[point], (25, 50, 75)) for point in points]).T
    returns.plot(x, middle, color=color, label=label, linewidth=1.5)
    returns.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0)
    success.plot(x, [100 * ended[point].mean() for point in points], color=color, linewidth=1.5)
