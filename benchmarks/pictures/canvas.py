"""A figure to draw into, axes that can be read, and a file to put it in."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmarks.peers import COLOURS

_ON_IT = 0.05
"""How near to a power of ten counts as being there (of a decade)."""

_LEGEND_WIDTH = 1.7
"""Of one entry (inches)."""


def new_figure(rows: int, columns: int, width: float = 4.2, height: float = 3.0, **subplots: Any) -> tuple[Figure, Any]:
    """Return a figure and an array (rows, columns) of axes; ``width`` and ``height`` are of each of them (inches)."""
    figure = Figure(figsize=(width * columns, height * rows + 0.8), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **subplots)


def make_logarithmic(axis: Axis) -> None:
    """Give an axis of positive values whole decades, with plain numbers."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LogLocator(numticks=12))
    axis.set_major_formatter(FuncFormatter(_short))
    axis.set_minor_locator(LogLocator(subs=range(2, 10), numticks=99))
    axis.set_minor_formatter(NullFormatter())
    low, high = (10.0**exponent for exponent in _decades(*axis.get_data_interval()))
    axis.axes.set(**{f"{axis.axis_name}lim": (low, high)})


def save(figure: Figure, file: Path, title: str) -> Path:
    """Add the title and a legend of all peers that are in there, write a PNG, and return its path."""
    handles = {
        label: handle for axes in figure.axes for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    ordered = [peer for peer in COLOURS if peer in handles]
    if ordered:
        columns = max(int(figure.get_figwidth() / _LEGEND_WIDTH), 1)
        figure.legend([handles[peer] for peer in ordered], ordered, loc="outside lower center", ncols=columns)
    figure.suptitle(title)
    figure.savefig(file, dpi=100)
    return file


def _short(value: float, _position: int) -> str:
    return f"{value:g}" if value < 1000 else f"{value / 1000:g}k"


def _decades(low: float, high: float) -> tuple[int, int]:
    """Return the exponents of the powers of ten around an interval of positive values."""
    first, last = math.floor(math.log10(low) + _ON_IT), math.ceil(math.log10(high) - _ON_IT)
    return first, max(last, first + 1)
