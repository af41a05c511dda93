"""What a flight looks like on a terminal: a live line an episode, and the tables at the end."""

from __future__ import annotations

from itertools import groupby
from statistics import fmean
from types import TracebackType
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from rtgym_ros.robots.drone.flight import Episode
from rtgym_ros.robots.drone.task import EPISODE_TIME_STEPS
from rtgym_ros.robots.drone.terminal_picture import flight_picture

_DURATIONS = {
    "time_step_duration": "time-step (send to send)",
    "inference_duration": "inference (between two steps)",
    "get_obs_duration": "capture",
    "send_control_duration": "send",
}


class LiveLines:
    """One line an episode, redrawn after every time-step by the thread that flies: no other thread disturbs the clock.

    Where the console is no terminal, a line is printed when its episode ends.

    Args:
        console: where to draw.
        picture: whether a picture of the flight is drawn above the line of the episode (on a terminal).
    """

    def __init__(self, console: Console, picture: bool = False) -> None:
        self._console = console
        self._picture = picture
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=10),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
        )
        self._drawn_picture: RenderableType | None = None
        self._live = Live(console=console, auto_refresh=False, get_renderable=self._drawn)
        self._line: TaskID | None = None

    def __enter__(self) -> LiveLines:
        """Start drawing."""
        if self._console.is_interactive:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the lines where they are."""
        self._live.stop()

    def begin(self, episode: Episode) -> None:
        """Add a line; under a picture it takes the place of the one before, which is printed above."""
        if self._picture and self._line is not None:
            self._progress.remove_task(self._line)
        self._line = self._progress.add_task(_title(episode), total=EPISODE_TIME_STEPS, state="")

    def step(self, episode: Episode) -> None:
        """Bring the line up to date."""
        assert self._line is not None, "begin() comes first"
        state = f"{100 * episode.distance:5.1f} cm from the target"
        if episode.finished:
            state += ", reached" if episode.reached else ", not reached"
        if episode.finished and (self._picture or not self._console.is_interactive):
            text = f"{_title(episode)}  {episode.time_steps:3d} time-steps, {state}"
            self._console.print(text, highlight=False, soft_wrap=True)
        if not self._console.is_interactive:
            return
        if self._picture:
            self._drawn_picture = flight_picture(episode, _rows(self._console), self._console.options.ascii_only)
        self._progress.update(self._line, completed=episode.time_steps, state=state)
        self._live.refresh()

    def _drawn(self) -> RenderableType:
        lines = self._progress.get_renderable()
        return lines if self._drawn_picture is None else Group(self._drawn_picture, lines)


def _rows(console: Console) -> int:
    """Return the height of a picture that leaves room for its frame and the line below."""
    height, width = int(console.height), int(console.width)
    return max(min(height - 5, (width - 4) // 2, 24), 4)


def _title(episode: Episode) -> str:
    return f"{episode.policy:<12} episode {episode.number}"


def episode_table(episodes: list[Episode]) -> Table:
    """Return a row an episode, and the means of every policy."""
    table = _table("Episodes", ("policy", "episode", "return", "time-steps", "distance", "reached", "timeouts"))
    for policy, group in groupby(episodes, key=lambda episode: episode.policy):
        flown = list(group)
        for e in flown:
            reached = ("yes" if e.reached else "no") if e.finished else "cut short"
            table.add_row(
                policy,
                str(e.number),
                f"{e.episode_return:.2f}",
                str(e.time_steps),
                f"{e.distance:.3f} m",
                reached,
                str(e.timeouts),
            )
        whole = [e for e in flown if e.finished]
        if len(whole) > 1:
            table.add_row(
                policy,
                "mean",
                f"{fmean(e.episode_return for e in whole):.2f}",
                f"{fmean(e.time_steps for e in whole):.1f}",
                f"{fmean(e.distance for e in whole):.3f} m",
                f"{100 * fmean(e.reached for e in whole):.0f} %",
                str(sum(e.timeouts for e in whole)),
                style="bold",
                end_section=True,
            )
        else:
            table.add_section()
    return table


def timing_table(durations: dict[str, np.ndarray], episodes: list[Episode]) -> Table:
    """Return mean and mean deviation (ms) of what the environment measured, and of the age of the observations.

    Args:
        durations: the ``"deltas"`` of the environment's trace benchmark (s), as far as it has one.
        episodes: the flights.
    """
    table = _table("Timing (ms)", ("duration", "mean", "mean deviation", "max", "samples"))
    rows: list[tuple[str, Any]] = [(title, durations[name]) for name, title in _DURATIONS.items() if name in durations]
    rows.append(("age of the pose at capture", np.array([age for e in episodes for age in e.observation_ages])))
    for title, seconds in rows:
        if len(seconds):
            ms = 1e3 * seconds
            deviation = np.abs(ms - ms.mean()).mean()
            table.add_row(title, f"{ms.mean():.3f}", f"{deviation:.3f}", f"{ms.max():.3f}", str(len(ms)))
    return table


def _table(title: str, headings: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=True)
    return table
