"""The figures of training: of a round, and of the last episodes of each robot."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from copy import copy
from statistics import fmean, median
from typing import Any

import msgspec

from rtgym_ros.train.trainer.checkpoint import Progress
from rtgym_ros.train.trainer.transitions import Episode

_LAST = 50  # newest episodes kept of each robot


class Statistics:
    """Gathers what happens; the first round begins with that progress, at that time (s, monotonic)."""

    def __init__(self, progress: Progress, now_s: float) -> None:
        self._last: dict[tuple[str, bool], deque[Episode]] = defaultdict(lambda: deque(maxlen=_LAST))
        self._timeouts: Counter[tuple[str, bool]] = Counter()
        self._count: Counter[tuple[str, bool]] = Counter()
        self._begin_round(progress, now_s)

    def trained(self, figures: dict[str, float], updates: int, seconds: float) -> None:
        """Note updates: what the agent tells of them (means), and how long they took (s)."""
        self._training_s += seconds
        for name, value in figures.items():
            self._sums[name] = self._sums.get(name, 0.0) + value * updates

    def ended(self, episode: Episode) -> None:
        """Note an episode."""
        self._episodes.append(episode)
        key = episode.worker, episode.test
        self._last[key].append(episode)
        self._timeouts[key] += episode.timeouts
        self._count[key] += 1

    def end_round(self, progress: Progress, memory_length: int, now_s: float) -> dict[str, Any]:
        """Return the figures of the round by name, None where there is nothing to tell of; the next one begins."""
        seconds = max(now_s - self._begin_s, 1e-9)
        updates = progress.updates - self._begin.updates
        figures: dict[str, Any] = {
            **msgspec.to_builtins(progress),
            "memory_length": memory_length,
            "round_seconds": seconds,
            "samples_per_s": (progress.samples - self._begin.samples) / seconds,
            "updates_per_s": updates / seconds,
            "updates_per_sample": progress.updates / progress.transitions if progress.transitions else None,
            "training_fraction": self._training_s / seconds,
        }
        for kind, test in (("train", False), ("test", True)):
            episodes = [episode for episode in self._episodes if episode.test == test]
            figures[f"{kind}/episodes"] = len(episodes)
            for name, field in (("return", "episode_return"), ("success", "terminated"), ("length", "length")):
                figures[f"{kind}/{name}"] = fmean(getattr(one, field) for one in episodes) if episodes else None
            figures[f"{kind}/timeouts"] = sum(episode.timeouts for episode in episodes)
        figures |= {f"agent/{name}": value / max(updates, 1) for name, value in self._sums.items()}
        self._begin_round(progress, now_s)
        return figures

    def of_robots(self) -> list[dict[str, Any]]:
        """Return how the last episodes went: one map for each robot and kind of episodes."""
        return [
            {
                "robot": robot,
                "test": test,
                "episodes": self._count[robot, test],
                "return": median(episode.episode_return for episode in episodes),
                "success": fmean(episode.terminated for episode in episodes),
                "length": fmean(episode.length for episode in episodes),
                "timeouts": self._timeouts[robot, test],
            }
            for (robot, test), episodes in sorted(self._last.items())
        ]

    def _begin_round(self, progress: Progress, now_s: float) -> None:
        self._begin, self._begin_s = copy(progress), now_s
        self._episodes: list[Episode] = []
        self._sums: dict[str, float] = {}
        self._training_s = 0.0
