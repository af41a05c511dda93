"""An episode as a picture: what was observed, done and paid, and how late everything was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rtgym_ros.record.reading import Episode
from rtgym_ros.record.time_step import Parts, RecordedTimeStep

_MOST_VALUES = 8  # of one part: an image is no line
Lines = dict[str, tuple[list[float], list[float]]]


def plot_episode(episode: Episode, output: str | Path | None) -> None:
    """Draw an episode over the time of capture.

    Args:
        episode: at least one time-step.
        output: a picture of any format that matplotlib knows; None shows a window.

    Raises:
        OSError: ``output`` cannot be written.
    """
    if output is not None:
        import matplotlib as mpl

        mpl.use("Agg")
    import matplotlib.pyplot as plt

    panels = [(title, unit, lines) for title, unit, lines in _panels(episode) if lines]
    height = 1 + 1.7 * len(panels)
    figure, axes = plt.subplots(len(panels), sharex=True, squeeze=False, figsize=(10, height), layout="constrained")
    for axis, (title, unit, lines) in zip(axes[:, 0], panels, strict=True):
        for name, (times, values) in lines.items():
            axis.plot(times, values, label=name, linewidth=1, marker="." if len(times) < 50 else "")
        axis.set_title(title, loc="left", fontsize="medium")
        axis.set_ylabel(unit)
        axis.grid(alpha=0.3)
        if len(lines) > 1:
            axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small")
    axes[-1, 0].set_xlabel("time since reset() (s)")
    environment = episode.run.facts["environment"] or "environment"
    figure.suptitle(f"{environment}, episode {episode.number} of run {episode.run.id[:6]}")
    if output is None:
        plt.show()
    else:
        figure.savefig(output, dpi=120)
    plt.close(figure)


def _panels(episode: Episode) -> list[tuple[str, str, Lines]]:
    steps = episode.steps
    acted = steps[1:]
    return [
        ("observation", "", _arrays(episode, steps, lambda step: step.observation)),
        ("action", "", _arrays(episode, acted, lambda step: step.action)),
        ("executed action", "", _arrays(episode, acted, lambda step: step.executed_action)),
        ("reward", "", _numbers(episode, acted, lambda step: {"reward": step.reward})),
        ("age of the observation", "ms", _numbers(episode, steps, lambda step: step.ages, 1e3)),
        ("delays", "ms", _numbers(episode, steps, lambda step: _delays(step, in_seconds=True), 1e3)),
        ("delays", "time-steps", _numbers(episode, steps, lambda step: _delays(step, in_seconds=False))),
        ("lateness of time-steps", "ms", _numbers(episode, steps, _lateness, 1e3)),
    ]


def _lateness(step: RecordedTimeStep) -> dict[str, float]:
    late = {"time-step": step.lateness_ns / 1e9} if step.start_ns else {}
    return {**late, **({"overrun": step.lateness_ns / 1e9} if step.overrun else {})}


def _delays(step: RecordedTimeStep, in_seconds: bool) -> dict[str, float]:
    return {name: value for name, value in step.delays.items() if name.endswith("n_delay") == in_seconds}


def _arrays(episode: Episode, steps: list[RecordedTimeStep], of: Callable[[RecordedTimeStep], Parts]) -> Lines:
    def values(step: RecordedTimeStep) -> dict[str, float]:
        return {
            f"{name}[{number}]" if array.size > 1 else name or "value": float(value)
            for name, array in of(step)
            if array.size <= _MOST_VALUES
            for number, value in enumerate(array.ravel())
        }

    return _numbers(episode, steps, values)


def _numbers(
    episode: Episode, steps: list[RecordedTimeStep], of: Callable[[RecordedTimeStep], dict[str, Any]], scale: float = 1
) -> Lines:
    lines: Lines = {}
    for step in steps:
        time = (step.stamp_ns - episode.steps[0].stamp_ns) / 1e9
        for name, value in of(step).items():
            times, values = lines.setdefault(name, ([], []))
            times.append(time)
            values.append(value * scale)
    return {name: line for name, line in lines.items() if not np.isnan(line[1]).all()}
