"""The real-time measures of one environment: what its configuration asks for, as far as the system permits it."""

from __future__ import annotations

from contextlib import ExitStack

from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.realtime import garbage
from rtgym_ros.realtime.memory_lock import lock_memory, unlock_memory
from rtgym_ros.realtime.switch_interval import restore_switch_interval, shorten_switch_interval
from rtgym_ros.realtime.thread_scheduling import schedule_this_thread


class RealtimeMeasures:
    """Takes them, keeps what was refused, and undoes them.

    Args:
        config: of the environment.

    Attributes:
        schedules: whether :meth:`schedule_this_thread` does anything.
        collects: whether :meth:`use_slack` does anything.
        refusals: what the system has refused, a line each.
    """

    def __init__(self, config: RealTimeConfig) -> None:
        self._config = config
        self._collector = garbage.SlackCollector()
        self._taken = ExitStack()
        self._is_open = False
        self._freezes = config.garbage_collection == "freeze"
        self.schedules = config.realtime_priority is not None or config.cpu_affinity is not None
        self.collects = config.garbage_collection == "slack"
        self.refusals: tuple[str, ...] = ()

    def open(self) -> None:
        """Take the measures that concern the whole process."""
        self._is_open = True
        interval_s = self._config.switch_interval
        if interval_s is not None:
            shorten_switch_interval(interval_s)
            self._taken.callback(restore_switch_interval, interval_s)
        if self.collects:
            self._collector.open()
            self._taken.callback(self._collector.close)
        if self._config.lock_memory:
            refused = lock_memory()
            if refused is None:
                self._taken.callback(unlock_memory)
            else:
                self._refuse([refused])

    def reset(self) -> None:
        """Freeze, where that is asked for: by the first episode, what is made once has been made."""
        if self._freezes and self._is_open:
            self._freezes = False
            garbage.freeze()
            self._taken.callback(garbage.unfreeze)

    def schedule_this_thread(self) -> None:
        """Schedule the calling thread, which is to be the clock thread: it stays so until it ends."""
        self._refuse(schedule_this_thread(self._config.realtime_priority, self._config.cpu_affinity))

    def use_slack(self, slack_ns: int) -> None:
        """Do what takes no longer than ``slack_ns`` while the clock is waited for."""
        self._collector.use_slack(slack_ns)

    def close(self) -> None:
        """Undo everything; a second call does nothing."""
        self._is_open = False
        self._taken.close()

    def _refuse(self, refused: list[str]) -> None:
        self.refusals += tuple(line for line in refused if line not in self.refusals)
