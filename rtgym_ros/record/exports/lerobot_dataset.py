"""Recordings as a LeRobot data set (v3), with what a frame rate cannot tell: ages, delays and times of capture."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.record.exports.flown_episodes import Exported, Paths, flown_episodes
from rtgym_ros.record.reading import Episode, Run
from rtgym_ros.record.time_step import Parts, RecordedTimeStep

_IMAGE_CHANNELS = (1, 3)


def export_lerobot(
    paths: Paths, root: str | Path, repo_id: str, *, task: str = "", fps: int | None = None, video: bool = False
) -> Exported:
    """Create a data set that ``LeRobotDataset(repo_id, root=root)`` reads, one frame a time-step.

    A frame has the observation and the action that answered it. uint8 arrays of shape (height, width, 1 or 3) become
    ``observation.images.PART``; all other parts, flat and in order, ``observation.state``; the action ``action``
    (float32, as LeRobot has them). Further features: ``next.reward``, ``next.done``, ``next.success`` (of the episode's
    label), ``capture_time`` (s since ``reset()``, float64; LeRobot's own ``timestamp`` is the frame's number divided by
    ``fps``), ``delays`` and ``ages`` (float32, named) where they were recorded in the first episode. The observation
    after the last action is not a frame.

    Args:
        paths: files and folders.
        root: a folder that must not exist.
        repo_id: ``user/name``.
        task: what the robot does, in words; the environment's id without them.
        fps: frames a second; None for the rate of the environment's time-steps.
        video: encode images as video (with loss, far smaller) instead of PNG.

    Raises:
        ConfigError: there is no frame rate.
        RecordError: nothing to export.
        OSError: ``root`` exists.
    """
    exported = Exported()
    data_set: LeRobotDataset | None = None
    delays: list[str] = []
    ages: list[str] = []
    for episode in flown_episodes(paths, exported):
        if data_set is None:
            delays = sorted({name for step in episode.steps for name in step.delays})
            ages = sorted({name for step in episode.steps for name in step.ages})
            data_set = LeRobotDataset.create(
                repo_id,
                fps=fps or _rate(episode.run),
                root=root,
                features=_features(episode.steps[1], delays, ages, video),
                use_videos=video,
            )
        words = task or episode.run.facts["environment"] or "unnamed"
        for frame in _frames(episode, delays, ages):
            data_set.add_frame({**frame, "task": words})
        data_set.save_episode()
    if data_set is not None:
        data_set.finalize()
    return exported


def _rate(run: Run) -> int:
    duration = run.config.get("time_step_duration")
    if not isinstance(duration, float) or round(1 / duration) < 1:
        raise ConfigError("the recording does not tell how long a time-step is (whole frames a second): give fps")
    return round(1 / duration)


def _is_image(array: np.ndarray[Any, Any]) -> bool:
    return array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] in _IMAGE_CHANNELS


def _key(name: str) -> str:
    return f"observation.images.{name.replace('/', '.') or 'image'}"


def _vector(parts: Parts) -> np.ndarray[Any, Any]:
    flat = [array.ravel().astype(np.float32) for _, array in parts if not _is_image(array)]
    return np.concatenate(flat) if flat else np.zeros(0, np.float32)


def _names(parts: Parts, otherwise: str) -> list[str]:
    return [
        f"{name or otherwise}[{number}]" if array.size > 1 else name or otherwise
        for name, array in parts
        if not _is_image(array)
        for number in range(array.size)
    ]


def _features(step: RecordedTimeStep, delays: list[str], ages: list[str], video: bool) -> dict[str, dict[str, Any]]:
    features: dict[str, dict[str, Any]] = {}
    for name, array in step.observation:
        if _is_image(array):
            axes = ["height", "width", "channels"]
            features[_key(name)] = {"dtype": "video" if video else "image", "shape": array.shape, "names": axes}
    vectors = {
        "observation.state": _names(step.observation, "state"),
        "action": _names(step.action, "action"),
        "delays": delays,
        "ages": ages,
    }
    for name, names in vectors.items():
        if names:
            features[name] = {"dtype": "float32", "shape": (len(names),), "names": names}
    scalars = {"next.reward": "float32", "next.done": "bool", "next.success": "bool", "capture_time": "float64"}
    return features | {name: {"dtype": dtype, "shape": (1,), "names": None} for name, dtype in scalars.items()}


def _frames(episode: Episode, delays: list[str], ages: list[str]) -> Iterator[dict[str, Any]]:
    begun_ns = episode.steps[0].stamp_ns
    success = episode.facts.get("success") == "true"
    for before, after in zip(episode.steps, episode.steps[1:], strict=False):
        done = after.terminated or after.truncated
        frame: dict[str, Any] = {
            "action": _vector(after.action),
            "next.reward": np.array([after.reward], np.float32),
            "next.done": np.array([done]),
            "next.success": np.array([success and after is episode.steps[-1]]),
            "capture_time": np.array([(before.stamp_ns - begun_ns) / 1e9], np.float64),
        }
        state = _vector(before.observation)
        if state.size:
            frame["observation.state"] = state
        frame.update({_key(name): array for name, array in before.observation if _is_image(array)})
        for name, names, values in ("delays", delays, before.delays), ("ages", ages, before.ages):
            if names:
                frame[name] = np.array([values.get(key, nan) for key in names], np.float32)
        yield frame
