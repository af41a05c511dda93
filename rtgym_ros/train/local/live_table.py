"""``python -m rtgym_ros.train.local.live_table``: how a run is going, from the files that its trainer writes."""

from __future__ import annotations

import sys
from collections import defaultdict, deque
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean, median
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.train.command_line import config_of, config_parser
from rtgym_ros.train.local.episodes import EPISODES_FILE, STATISTICS_FILE, EpisodeRecord, JsonLines

_PERIOD_S = 1.0
_LAST = 50
"""Episodes that returns and success are told of."""

_FIGURES = (
    ("samples", "samples", "{:,.0f}"),
    ("samples/s", "samples_per_s", "{:.1f}"),
    ("updates", "updates", "{:,.0f}"),
    ("updates/s", "updates_per_s", "{:.1f}"),
    ("ratio", "updates_per_sample", "{:.2f}"),
    ("weights", "version", "{:.0f}"),
    ("busy", "training_fraction", "{:.0%}"),
)


class Watch:
    """What is known of a run.

    Args:
        folder: of its trainer.
    """

    def __init__(self, folder: Path) -> None:
        self._statistics = JsonLines(folder / STATISTICS_FILE)
        self._episodes = JsonLines(folder / EPISODES_FILE, EpisodeRecord)
        self._round: dict[str, Any] = {}
        self._last: dict[tuple[str, bool], deque[EpisodeRecord]] = defaultdict(lambda: deque(maxlen=_LAST))
        self._timeouts: dict[str, int] = defaultdict(int)

    def update(self) -> bool:
        """Read what is new; return whether a round has ended."""
        for episode in self._episodes.read():
            self._last[episode.worker, episode.test].append(episode)
            self._timeouts[episode.worker] += episode.timeouts
        before = self._round
        for figures in self._statistics.read():
            self._round = figures
        return self._round is not before

    def table(self) -> Table:
        """Return one line for the trainer, and one for each worker and kind of episodes."""
        table = Table(box=SIMPLE_HEAD, title=self._title(), title_justify="left")
        columns = ("worker", "episodes", f"last {_LAST}: return, median", "success", "time-steps", "timeouts")
        for number, name in enumerate(columns):
            table.add_column(name, justify="right" if number > 1 else "left")
        for (worker, test), episodes in sorted(self._last.items()):
            table.add_row(worker, "test" if test else "training", *_of(episodes), str(self._timeouts[worker]))
        return table

    def line(self) -> str:
        """Return the same in a line, for where there is no terminal."""
        episodes = [episode for last in self._last.values() for episode in last if not episode.test]
        returns = f", return {_of(episodes)[0]}, success {_of(episodes)[1]}" if episodes else ""
        return f"{self._title()}{returns}"

    def _title(self) -> str:
        told = [
            f"{name} {form.format(self._round[key])}"
            for name, key, form in _FIGURES
            if self._round.get(key) is not None
        ]
        return "  ".join(told) if told else "waiting for the first updates"


def main(arguments: list[str] | None = None) -> int:
    """Show the table until a signal comes."""
    options = config_parser("live_table", __doc__).parse_args(arguments)
    try:
        watch = Watch(config_of(options).folder / "trainer")
    except ConfigError as error:
        sys.stderr.write(f"live_table: {error}\n")
        return 2
    console = Console()
    with StopSignal() as stop, Live(console=console, auto_refresh=False) as live:
        while not stop.wait(_PERIOD_S):
            ended = watch.update()
            if console.is_terminal:
                live.update(watch.table(), refresh=True)
            elif ended:
                console.print(watch.line(), highlight=False, soft_wrap=True)
    return 0


def _of(episodes: Iterable[EpisodeRecord]) -> tuple[str, str, str]:
    episodes = list(episodes)
    return (
        f"{median(e.episode_return for e in episodes):.2f}",
        f"{fmean(e.terminated for e in episodes):.0%}",
        f"{fmean(e.length for e in episodes):.1f}",
    )


if __name__ == "__main__":
    sys.exit(main())
