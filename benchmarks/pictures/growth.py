"""How figures grow with the number of environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.ticker import NullLocator

from benchmarks.peers import COLOURS
from benchmarks.pictures.canvas import make_logarithmic, new_figure, save
from benchmarks.results import Results


def draw_growth(
    results: Results,
    name: str,
    rows: Mapping[str, Mapping[int, str]],
    peers: Sequence[str],
    columns: Mapping[str, str],
    file: Path,
) -> Path:
    """Draw a panel for each statistic of ``columns``, which labels them, and a row for each way: ``{number: case}``."""
    figure, grid = new_figure(len(rows), len(columns))
    for axes_row, (way, cases) in zip(grid, rows.items(), strict=True):
        for axes, (statistic, label) in zip(axes_row, columns.items(), strict=True):
            for peer in peers:
                values = [results.median(name, case, peer, statistic) for case in cases.values()]
                axes.plot(list(cases), values, "o-", color=COLOURS[peer], label=peer)
            axes.set(title=way, xlabel="environments", ylabel=label, xscale="log")
            axes.set_xticks(list(cases), list(map(str, cases)))
            axes.xaxis.set_minor_locator(NullLocator())
            if min(map(min, (line.get_ydata() for line in axes.lines))) > 0:
                make_logarithmic(axes.yaxis)
            else:
                axes.set_ylim(0, max(axes.get_ylim()[1], 1.0))
            axes.grid(alpha=0.3, which="both")
    return save(figure, file, "Many environments at once")
