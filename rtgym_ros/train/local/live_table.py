"""``python -m rtgym_ros.train.local.live_table``: how a run is going, as its server tells it; any machine may ask."""

from __future__ import annotations

import asyncio
import logging
import sys
from time import monotonic
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.train.config_file import config_parser, load_config
from rtgym_ros.train.errors import CredentialsError
from rtgym_ros.train.stream.event_loop import stop_event, wait_for_event
from rtgym_ros.train.stream.watch import RobotView, RunWatch

_PERIOD_S = 1.0
_LINE_S = 10.0  # from one line to the next, where there is no terminal
WIDTH = 80
COLUMNS = ("robot", "sent/s", "ring", "lost", "weights", "flights", "return", "reached", "steps", "late")
LEGEND = (
    "sent/s: samples a second; ring: samples that wait on the robot; lost: given up\n"
    "weights: version in use, and since when; flights: episodes; of the last 50:\n"
    "return (median), reached (share), steps (mean); late: time-steps timed out"
)


class View:
    """What is shown of the run that ``watch`` sees."""

    def __init__(self, watch: RunWatch) -> None:
        self._watch = watch
        self._begin: tuple[float, float] | None = None

    def render(self) -> Group:
        """Return all of it, within 80 columns: the learner, a line for each robot, the legend."""
        lines = [Text(line, no_wrap=True, overflow="crop") for line in self.summary()]
        return Group(*lines, self._table(), Text(LEGEND, style="dim"))

    def summary(self) -> list[str]:
        """Return how far training is."""
        watch, told = self._watch, self._watch.progress
        if watch.problem:
            return [f"the server: {watch.problem}"[:WIDTH], ""]
        stream = f"stream: {watch.messages:,} messages, {watch.stream_bytes / 1e6:.1f} MB"
        if not told:
            return ["waiting for the first samples", stream]
        goal, now_s = told["goal"], monotonic()
        share = min(max((told[name] / goal[name] for name in ("updates", "samples") if goal.get(name)), default=0), 1)
        ratio = told["updates"] / max(told["transitions"], 1)
        trouble = [
            f"{what} {told[what]:,}" for what in ("refused", "evicted", "repeated", "set_back") if told.get(what)
        ]
        done = f"{share:.0%} done, {self._left(share, now_s)} left"
        return [
            f"{done}   updates {told['updates']:,} ({ratio:.2f} a transition)",
            f"samples {told['samples']:,}   weights {told['version']}   {stream}",
            *([", ".join(trouble)] if trouble else []),
        ]

    def line(self) -> str:
        """Return the same in a line, for where there is no terminal."""
        told = [one for one in self._watch.progress.get("robots", ()) if not one["test"]]
        returns = ", ".join(f"{one['robot']} return {one['return']:.2f} reached {one['success']:.0%}" for one in told)
        return "   ".join(filter(None, [*self.summary(), returns]))

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 1, 0, 0), width=WIDTH, header_style="bold underline")
        for number, name in enumerate(COLUMNS):
            table.add_column(name, justify="right" if number else "left", no_wrap=True)
        watch, now_s = self._watch, monotonic()
        scores = {(one["robot"], one["test"]): one for one in watch.progress.get("robots", ())}
        for robot in sorted({*watch.robots, *(name for name, _ in scores)}):
            table.add_row(robot[:11], *_sent(watch.robots.get(robot), now_s), *_score(scores.get((robot, False))))
            if (robot, True) in scores:
                table.add_row(f"{robot[:6]} test", *_sent(None, now_s), *_score(scores[robot, True]))
        return table

    def _left(self, share: float, now_s: float) -> str:
        """Return how long it may still take, as long as it has taken for its share since the first look."""
        began_s, begun = self._begin = self._begin or (now_s, share)
        if share <= begun or now_s - began_s < 3.0:
            return "?"
        left_s = (1.0 - share) * (now_s - began_s) / (share - begun)
        return f"{left_s / 60:.0f} min" if left_s >= 90 else f"{left_s:.0f} s"


def _sent(view: RobotView | None, now_s: float) -> list[str]:
    if view is None:
        return [""] * 4
    header = view.header
    weights = f"{header.version} {now_s - view.version_s:.0f}s" if header.version >= 0 else "none"
    return [f"{view.rate(now_s):.1f}", f"{header.unread}", f"{header.dropped + header.refused + header.lost}", weights]


def _score(told: dict[str, Any] | None) -> list[str]:
    if told is None:
        return [""] * 5
    return "{episodes} {return:.2f} {success:.0%} {length:.1f} {timeouts}".format(**told).split()


async def _show(watch: RunWatch, stop: StopSignal) -> None:
    view, console, ending = View(watch), Console(), stop_event(stop)
    watching = asyncio.ensure_future(watch.run())
    shown_s = monotonic()
    with Live(console=console, auto_refresh=False) as live:
        while not watching.done() and not ending.is_set():
            await wait_for_event(ending, _PERIOD_S)
            if console.is_interactive:
                live.update(view.render(), refresh=True)
            elif monotonic() - shown_s >= _LINE_S:
                shown_s = monotonic()
                console.print(view.line(), highlight=False, soft_wrap=True)
    if not watching.cancel():
        watching.result()  # it ends by an error alone


def main(arguments: list[str] | None = None) -> int:
    """Show the table until a signal comes."""
    options = config_parser("live_table", __doc__).parse_args(arguments)
    logging.getLogger("nats").setLevel(logging.CRITICAL)
    try:
        with StopSignal() as stop:
            asyncio.run(_show(RunWatch(load_config(options.config, options.set)), stop))
    except (ConfigError, CredentialsError) as error:
        sys.stderr.write(f"live_table: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
