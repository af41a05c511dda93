"""A picture of a flight: the trajectories, how regular the time-steps were, and how old the observations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rtgym_ros.robots.drone.flight import Episode

_SHOWN = 0.8
"""Of the world, from its centre (m): the targets, and what overshoots them."""


def save_plot(path: Path, episodes: list[Episode], time_steps: np.ndarray, nominal: float) -> None:
    """Write a PNG.

    Args:
        path: the file to write.
        episodes: the flights.
        time_steps: durations from send to send (s).
        nominal: duration of a time-step (s).

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    policies = list(dict.fromkeys(episode.policy for episode in episodes))
    figure = Figure(figsize=(4.5 * (len(policies) + 1), 4.8), layout="constrained")
    FigureCanvasAgg(figure)  # a picture needs no window system
    grid = figure.add_gridspec(2, len(policies) + 1)
    for column, policy in enumerate(policies):
        _plot_trajectories(figure.add_subplot(grid[:, column]), policy, [e for e in episodes if e.policy == policy])
    ages = np.array([age for e in episodes for age in e.observation_ages])
    deviation = 1e6 * (time_steps - nominal)
    _plot_histogram(
        figure.add_subplot(grid[0, -1]), deviation, f"time-step, less the nominal {1e3 * nominal:g} ms (µs)"
    )
    _plot_histogram(figure.add_subplot(grid[1, -1]), 1e3 * ages, "age of the pose at capture (ms)")
    figure.savefig(path, dpi=100)


def _plot_trajectories(axes: Any, policy: str, episodes: list[Episode]) -> None:
    for number, episode in enumerate(episodes):
        x, y = np.array(episode.positions).T
        axes.plot(x, y, ".-", color=f"C{number % 10}", linewidth=0.8, markersize=3)
        axes.plot(*episode.target, "x", color=f"C{number % 10}", markersize=9, markeredgewidth=2, zorder=3)
    reached = sum(episode.reached for episode in episodes)
    axes.set(
        title=f"{policy}: {reached} of {len(episodes)} reached",
        xlabel="x (m)",
        ylabel="y (m)",
        xlim=(-_SHOWN, _SHOWN),
        ylim=(-_SHOWN, _SHOWN),
        aspect="equal",
    )
    axes.grid(alpha=0.3)


def _plot_histogram(axes: Any, values: np.ndarray, label: str) -> None:
    if len(values):
        axes.hist(values, bins=60)
    axes.set(xlabel=label, ylabel="time-steps", yscale="log")
