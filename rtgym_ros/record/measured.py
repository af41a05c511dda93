"""The delays that a recording holds."""

from __future__ import annotations

from collections.abc import Iterable
from math import nan
from pathlib import Path

import numpy as np

from rtgym_ros.delays.calibration import Calibration
from rtgym_ros.delays.predictability import Predictability, predictability
from rtgym_ros.delays.recommendations import Measurements
from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.reading import Episode, read_episodes
from rtgym_ros.record.time_step import RecordedTimeStep

_KEYS = ("observation_delay", "action_delay", "alpha", "kappa")


def measured_in(paths: str | Path | Iterable[str | Path]) -> Calibration:
    """Return what recorded flights show; durations of captures and sends are not recorded.

    Args:
        paths: files and folders of recordings, of one robot.

    Raises:
        RecordError: they cannot be read, or hold no delays.
    """
    episodes = list(read_episodes(paths))
    steps = [step for episode in episodes for step in episode.steps if step.episode_step > 0]
    told = {key: np.array([step.delays.get(key, nan) for step in steps]) for key in _KEYS}
    oldest: dict[str, float] = {}
    for step in steps:
        for name, age in step.ages.items():
            oldest[name] = max(age, oldest.get(name, 0.0))
    if not steps or not (np.isfinite(told["observation_delay"]).any() or oldest):
        raise RecordError("no delays are recorded there: an environment that tells them in its info has to be recorded")
    config = episodes[0].run.config
    duration = float(config.get("time_step_duration", nan))
    if not duration > 0:
        raise RecordError("the recording does not tell its time_step_duration")
    return Calibration(
        Measurements(
            observation_delays=told["observation_delay"],
            action_delays=told["action_delay"],
            places=told["alpha"] + told["kappa"],
            capture_to_send=max(duration - float(config.get("start_obs_capture", duration)), 0.0),
        ),
        duration,
        oldest,
        time_steps=len(steps),
        timeouts=sum(step.timed_out for step in steps),
        predictable=_predictable(episodes),
    )


def _predictable(episodes: list[Episode]) -> Predictability | None:
    rows = [step for episode in episodes for step in episode.steps if step.episode_step > 0 and step.action]
    try:
        return predictability(
            [_first(step) for step in rows],
            [np.concatenate([np.ravel(array) for _, array in step.action]) for step in rows],
            [step.episode_step == 1 for step in rows],
        )
    except (ValueError, IndexError):  # too little of it, or images
        return None


def _first(step: RecordedTimeStep) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = np.ravel(step.observation[0][1]).astype(np.float64)
    if len(values) > _MOST_VALUES:
        raise ValueError("an image is not predicted")
    return values


_MOST_VALUES = 64
