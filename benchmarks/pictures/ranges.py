"""Median, 99th percentile and the worst of a figure, peer by peer: what a page shows of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmarks.peers import COLOURS
from benchmarks.pictures.canvas import make_logarithmic
from benchmarks.tables import number

_WIDTH, _ROW = 8.3, 0.27
"""Of the page, and of the height of a peer (inches). At 100 dots an inch a letter of 10 points is 14 pixels high."""

_LEAST_US = 0.1
"""Where the axis begins at the lowest; what is less stands there, without its number."""

_AROUND = 1.3
"""Height of title, axis and legend (inches)."""


def draw_ranges(
    measurement: Mapping[str, Any],
    cases: Mapping[str, str],
    peers: Sequence[str],
    statistic: str,
    title: str,
    file: Path,
) -> bool:
    """Draw a row for each peer, in groups: a dot at the median, a line to the p99, a mark at the worst of all repeats.

    Args:
        measurement: of a ``results.json``: ``{case: {peer: {"send_jitter.p50": {"median": us, "repeats": [us]}}}}``.
        cases: name of the case and what the group is called.
        peers: from top to bottom; one that was not measured is left out.
        statistic: what stands before ``.p50``, ``.p99`` and ``.max``, in µs.
        title: what is drawn, with its unit.
        file: PNG to write.

    Returns:
        whether there was anything to draw.
    """
    groups = {}
    for case, label in cases.items():
        measured = measurement.get(case, {})
        group = {peer: measured[peer] for peer in peers if f"{statistic}.p50" in measured.get(peer, ())}
        if group:
            groups[label] = group
    if not groups:
        return False
    rows = sum(map(len, groups.values())) + len(groups)
    figure = Figure(figsize=(_WIDTH, _ROW * rows + _AROUND), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    ticks: dict[int, str] = {}
    row = 0
    for label, group in groups.items():
        axes.text(0.0, row, label, transform=axes.get_yaxis_transform(), fontweight="bold", va="center")
        for peer, statistics in group.items():
            row += 1
            ticks[row] = peer
            _draw_row(axes, row, statistics, statistic, COLOURS[peer])
        row += 1
    axes.set_yticks(list(ticks), list(ticks.values()))
    axes.set_ylim(row - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    make_logarithmic(axes.xaxis)
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(alpha=0.3, axis="x", which="major")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    handles = [
        Line2D([], [], color="black", marker="o", linestyle="", label="half of the time-steps are nearer"),
        Line2D([], [], color="black", linewidth=3, alpha=0.5, label="99 of 100"),
        Line2D([], [], color="black", marker="|", markersize=9, linestyle="", label="all of them"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(file, dpi=100)
    return True


def _draw_row(axes: Any, row: int, statistics: Mapping[str, Any], name: str, colour: str) -> None:
    median, p99 = (float(statistics[f"{name}.{part}"]["median"]) for part in ("p50", "p99"))
    worst = max(statistics[f"{name}.max"]["repeats"])
    shown = max(median, _LEAST_US)
    axes.plot([shown, p99], [row, row], color=colour, linewidth=3, alpha=0.5, solid_capstyle="butt")
    axes.plot(shown, row, "o", color=colour)
    axes.plot(worst, row, "|", color=colour, markersize=9)
    if median == shown:
        _write(axes, number(median), (median, row), -7, "right")
    _write(axes, number(p99), (p99, row), 4, "left")


def _write(axes: Any, text: str, point: tuple[float, float], aside: int, align: str) -> None:
    axes.annotate(text, point, (aside, 0), textcoords="offset points", ha=align, va="center", fontsize=9)
