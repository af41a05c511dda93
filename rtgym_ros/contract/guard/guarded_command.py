"""The command of one topic behind the guard: forwarded within its limits, or the safe action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtgym_ros.contract.actions.part_command import PartCommand
from rtgym_ros.contract.guard.command_input import CommandInput
from rtgym_ros.contract.guard.limit_time import LimitTime
from rtgym_ros.core.time_source import to_s

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Sent:
    """A command that is to be published.

    Attributes:
        command: index of the topic's command.
        values: of all its parts, in order, in the units of the message.
        source: name of the input that it comes from; None: the safe action.
        stamp_ns: of the input's message; None of the safe action, of a repetition, of a message without.
    """

    command: int
    values: Array
    source: str | None
    stamp_ns: int | None = None


class GuardedCommand:
    """Makes the commands of one topic. Nothing here reads a clock; it belongs to one thread.

    Args:
        index: of this command.
        parts: of the action that the topic carries, by name, in order.
        period_ns: between two commands (ns).
        repeats: whether commands are repeated with that period while an input is live, too.
        measured_parts: those that need what ``first_from`` shows before anything can be sent.
        is_linear: whether repeated commands lead to what the input wants, one time-step later.

    Attributes:
        parts: of the action.
        limited: how many commands were not what the input wanted, because of bounds and limits.
        forwarded: how many commands were forwarded.
        safe: how many times the safe action was sent.
    """

    def __init__(
        self,
        index: int,
        parts: Mapping[str, PartCommand],
        period_ns: int,
        repeats: bool = False,
        measured_parts: Iterable[str] = (),
        is_linear: bool = False,
    ) -> None:
        self.parts = parts
        self.limited = self.forwarded = self.safe = 0
        self._index = index
        self._period_ns = period_ns
        self._repeats = repeats
        self._is_linear = repeats and is_linear
        self._time = LimitTime(period_ns)
        self._measured: dict[str, Array | None] = dict.fromkeys(measured_parts)
        self._has_begun = not self._measured
        self._is_at_rest = False
        self._source: CommandInput | None = None
        self._next_ns: int | None = None
        self._aimed_ns = 0

    @property
    def is_ready(self) -> bool:
        """Whether commands can be made: ``first_from`` has shown where the robot is."""
        return self._has_begun

    @property
    def is_at_rest(self) -> bool:
        """Whether the last command is the safe action itself: limits may make it take several."""
        return self._is_at_rest

    def observe(self, part: str, measured: Array) -> None:
        """Note what ``first_from`` of ``part`` shows now, values before ``convert``."""
        self._measured[part] = measured
        self.parts[part].observe(measured)
        if not self._has_begun and all(values is not None for values in self._measured.values()):
            self._has_begun = True
            self._begin()

    def step(self, source: CommandInput | None, now_ns: int) -> Sent | None:
        """Return the command that is to be sent at ``now_ns``; None where none is.

        Args:
            source: the input that commands the robot; None for the safe action.
            now_ns: not before that of an earlier call, but for :meth:`restart`.
        """
        if not self._has_begun:
            return None
        if source is not None and source.parts.isdisjoint(self.parts):
            source = None
        changed = source is not self._source or self._next_ns is None
        if source is None:
            if not changed and self._next_ns is not None and now_ns < self._next_ns:
                return None
            self._source = None
            return self._send_safe(now_ns)
        if changed:
            if self._is_at_rest and self._measured:
                self._begin()
            source.renew(self.parts)
            self._source = source
        return self._forward(source, now_ns)

    def restart(self) -> None:
        """Begin a new grid of times: the clock was set back, or nothing was sent for a while."""
        self._next_ns = self._source = None
        self._is_at_rest = True
        self._time.restart()

    def _begin(self) -> None:
        """Begin anew from where the robot is."""
        for name, measured in self._measured.items():
            self.parts[name].start(measured)

    def _forward(self, source: CommandInput, now_ns: int) -> Sent | None:
        fresh = source.fresh(self.parts)
        is_due = self._repeats and self._next_ns is not None and now_ns >= self._next_ns
        if not (fresh or is_due) or not self._time.is_enough(now_ns):
            return None
        stamp_ns = source.stamp_ns if fresh else None
        for name in fresh:
            self.parts[name].aim_at(source.targets[name])
            self._aimed_ns = now_ns
        source.take(fresh)
        dt = self._time.spend(now_ns)
        elapsed = to_s(now_ns - self._aimed_ns) if self._repeats else None
        carried = source.parts
        each = {
            name: part.next(dt, elapsed) if name in carried else part.next_safe(dt) for name, part in self.parts.items()
        }
        self.forwarded += 1
        if not self._is_linear:
            self.limited += any(not np.array_equal(each[name], source.targets[name]) for name in fresh)
        self._is_at_rest = False
        self._set_next(now_ns, on_grid=not fresh)
        return Sent(self._index, np.concatenate(list(each.values())), source.name, stamp_ns)

    def _send_safe(self, now_ns: int) -> Sent:
        on_grid = self._next_ns is not None and now_ns >= self._next_ns
        dt = self._time.spend(now_ns)
        before = np.concatenate([part.command for part in self.parts.values()])
        values = np.concatenate([part.next_safe(dt) for part in self.parts.values()])
        self._is_at_rest = bool(np.array_equal(before, values))
        self.safe += 1
        self._set_next(now_ns, on_grid)
        return Sent(self._index, values, None)

    def _set_next(self, now_ns: int, on_grid: bool) -> None:
        due_ns = self._next_ns if on_grid and self._next_ns is not None else now_ns
        self._next_ns = due_ns + self._period_ns if due_ns + self._period_ns > now_ns else now_ns + self._period_ns
