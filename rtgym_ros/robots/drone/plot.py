"""Two pictures of a flight: the trajectories; how regular the time-steps and how old the observations were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rtgym_ros.robots.drone.flight import Episode

_SHOWN = 0.8
"""Of the world, from its centre (m): the targets, and what overshoots them."""

_LEGEND = ("observed positions, one colour an episode", "start", "target")
_LEGIBLE = {"font.size": 12, "axes.titlesize": 13, "legend.fontsize": 11}
"""At the width of a page."""


def save_plot(path: Path, episodes: list[Episode], time_steps: np.ndarray, nominal: float) -> list[Path]:
    """Write the trajectories to ``path`` and the histograms beside it, to ``NAME_timing.png``; return both.

    Args:
        path: the file to write, ``NAME.png``.
        episodes: the flights.
        time_steps: durations from send to send (s).
        nominal: duration of a time-step (s).

    Raises:
        OSError: a file cannot be written.
    """
    from matplotlib import rc_context

    timing = path.with_stem(f"{path.stem}_timing")
    with rc_context(_LEGIBLE):
        _save_trajectories(path, episodes)
        _save_histograms(timing, episodes, time_steps, nominal)
    return [path, timing]


def _save_trajectories(path: Path, episodes: list[Episode]) -> None:
    policies = list(dict.fromkeys(episode.policy for episode in episodes))
    figure = _figure(4.6 * len(policies), 5.2)
    for axes, policy in zip(figure.subplots(1, len(policies), squeeze=False)[0], policies, strict=True):
        _plot_trajectories(axes, policy, [e for e in episodes if e.policy == policy])
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path, dpi=100)


def _save_histograms(path: Path, episodes: list[Episode], time_steps: np.ndarray, nominal: float) -> None:
    ages = np.array([age for e in episodes for age in e.observation_ages])
    deviation = 1e6 * (time_steps - nominal)
    figure = _figure(9.2, 4.0)
    left, right = figure.subplots(1, 2)
    _plot_histogram(left, deviation, f"time-step, less the nominal {1e3 * nominal:g} ms (µs)")
    _plot_histogram(right, 1e3 * ages, "age of the pose at capture (ms)")
    figure.savefig(path, dpi=100)


def _figure(width: float, height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)  # a picture needs no window system
    return figure


def _plot_trajectories(axes: Any, policy: str, episodes: list[Episode]) -> None:
    for number, episode in enumerate(episodes):
        color, (x, y) = f"C{number % 10}", np.array(episode.positions).T
        flown, begun, target = _LEGEND if number == 0 else (None, None, None)
        axes.plot(x, y, ".-", color=color, linewidth=1, markersize=4, label=flown)
        axes.plot(x[0], y[0], "o", color=color, markersize=8, fillstyle="none", label=begun)
        axes.plot(*episode.target, "X", color=color, markeredgecolor="black", markersize=11, zorder=3, label=target)
    reached = sum(episode.reached for episode in episodes)
    axes.set(
        title=f"{policy}: {reached} of {len(episodes)} targets reached",
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
