"""A picture of drives: the paths in the world, and the speeds that were commanded and driven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rtgym_ros.robots.drive.world import ROOM, World


@dataclass(frozen=True, eq=False)
class DrivePath:
    """One drive, as arrays with one row a time-step.

    Attributes:
        times: shape (n,) (s).
        poses: x, y (m), heading (rad) in the frame of the world, shape (n, 3).
        speeds: forwards (m/s), turn rate (rad/s), as measured, shape (n, 2).
        commands: the same, as sent, shape (n, 2).
        target: x, y (m); None without one.
        label: for the legend.
    """

    times: np.ndarray
    poses: np.ndarray
    speeds: np.ndarray
    commands: np.ndarray
    target: Sequence[float] | None = None
    label: str = ""


def save_plot(path: Path, drives: Sequence[DrivePath], world: World = ROOM) -> None:
    """Write a PNG: all paths on the left, the speeds of the last drive on the right.

    Args:
        path: the file to write.
        drives: at least one.
        world: its walls.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.3, 4.6), layout="constrained")
    FigureCanvasAgg(figure)  # a picture needs no window system
    grid = figure.add_gridspec(2, 2)
    _plot_paths(figure.add_subplot(grid[:, 0]), drives, world)
    for row, (name, unit) in enumerate((("speed", "m/s"), ("turn rate", "rad/s"))):
        axes = figure.add_subplot(grid[row, 1])
        last = drives[-1]
        axes.step(last.times, last.commands[:, row], where="post", color="C7", label="commanded")
        axes.plot(last.times, last.speeds[:, row], color="C0", label="measured")
        axes.set(xlabel="time (s)", ylabel=f"{name} ({unit})", title=f"{name} of {last.label or 'the last drive'}")
        axes.grid(alpha=0.3)
        axes.legend(loc="best")
    figure.savefig(path, dpi=100)


def _plot_paths(axes: Any, drives: Sequence[DrivePath], world: World) -> None:
    for wall in world.walls:
        axes.plot(*wall.T, color="black", linewidth=2, solid_capstyle="round")
    for number, drive in enumerate(drives):
        colour = f"C{number % 10}"
        axes.plot(*drive.poses[:, :2].T, color=colour, label=drive.label or f"drive {number + 1}")
        axes.plot(*drive.poses[0, :2], "o", color=colour, markersize=5)
        if drive.target is not None:
            axes.plot(*drive.target, "x", color=colour, markersize=9, markeredgewidth=2, zorder=3)
    axes.set(xlabel="x (m)", ylabel="y (m)", aspect="equal", title="paths (o start, x target)")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left", fontsize="small")
