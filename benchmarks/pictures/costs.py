"""One figure for each peer: boxes and bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers import COLOURS
from benchmarks.pictures.canvas import make_logarithmic, new_figure, save
from benchmarks.results import Results


def draw_boxes(
    results: Results, name: str, cases: Sequence[str], peers: Sequence[str], sample: str, file: Path
) -> Path:
    """Draw a box from p25 to p75 with whiskers from p1 to p99, a panel for each case."""
    figure, grid = new_figure(1, len(cases))
    for axes, case in zip(grid[0], cases, strict=True):
        samples = {peer: results.samples(name, case, peer, sample) for peer in peers}
        shown = {peer: values for peer, values in samples.items() if values.size}
        axes.set(title=case, ylabel=f"{sample} (µs), p1 p25 p50 p75 p99")
        if not shown:  # a case that was not asked for
            continue
        boxes = axes.boxplot(
            list(shown.values()),
            tick_labels=list(shown),
            whis=(1, 99),
            showfliers=False,
            patch_artist=True,
            medianprops={"color": "black"},
        )
        for box, peer in zip(boxes["boxes"], shown, strict=True):
            box.set_facecolor(COLOURS[peer])
        axes.tick_params(axis="x", rotation=20)
        axes.grid(alpha=0.3, axis="y", which="both")
        make_logarithmic(axes.yaxis)
    return save(figure, file, "Cost of step() beyond waiting")


def draw_bars(results: Results, name: str, case: str, peers: Sequence[str], statistic: str, file: Path) -> Path:
    """Draw the median over the repeats as a bar, and each repeat as a dot."""
    figure, grid = new_figure(1, 1, width=5.5)
    axes = grid[0, 0]
    for peer in peers:
        median = results.median(name, case, peer, statistic)
        if math.isfinite(median):
            values = results.values(name, case, peer, statistic)
            axes.bar(peer, median, color=COLOURS[peer], alpha=0.6)
            axes.plot([peer] * len(values), values, ".", color="black")
            axes.annotate(f"{median:g}", (peer, median), xytext=(0, 3), textcoords="offset points", ha="center")
        else:
            axes.bar(peer, 0)
            axes.annotate("none", (peer, 0), xytext=(0, 3), textcoords="offset points", ha="center")
    axes.set(ylabel="time-step (µs)")
    axes.margins(y=0.15)
    axes.grid(alpha=0.3, axis="y")
    return save(figure, file, "Shortest sustained time-step")
