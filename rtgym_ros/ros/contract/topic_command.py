"""The commands of one topic (or goal): the parts of the action that share it, limited and written into one message."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rtgym_ros.contract.resolution.commands import ResolvedCommand
from rtgym_ros.core.time_source import to_s
from rtgym_ros.ros.contract.command_sink import CommandSink

_SHORTEST_S = 1e-3
"""Least time that is reckoned between two commands (s): less is the network's business, not the robot's."""


class TopicCommand:
    """Sends the commands of one topic; belongs to one thread.

    Limits count from the last command that was sent, at the rate at which commands are sent. A command that follows
    sooner than that (a time-step that makes up for a late one, a safe action in between) has the time that has really
    passed; one that follows later has no more than the rate gives it.

    Args:
        resolved: parts and writer.
        sink: where messages go.
        period: between two commands (s).
        repeats: whether commands are repeated between time-steps.
        now_ns: the ROS time (ns).

    Attributes:
        stamp_ns: of the last command (ROS time, ns); 0 before the first.
    """

    def __init__(
        self, resolved: ResolvedCommand, sink: CommandSink, period: float, repeats: bool, now_ns: Callable[[], int]
    ) -> None:
        self.parts = resolved.parts
        self.writer = resolved.writer
        self.safe_writer = resolved.safe_writer
        self.period = period
        self.repeats = repeats
        self.stamp_ns = 0
        self._sink = sink
        self._now_ns = now_ns

    def send(self, elapsed: float | None = None) -> None:
        """Send what the parts aim at.

        Args:
            elapsed: since the beginning of the time-step (s), of a command that is repeated in it; None: it begins now.
        """
        now_ns = self._now_ns()
        dt = self._dt(now_ns)
        if elapsed is None and self.repeats:
            elapsed = 0.0
        values = [part.next(dt, elapsed) for part in self.parts.values()]
        values_of_all = values[0] if len(values) == 1 else np.concatenate(values)
        self._sink.publish(self.writer.write(values_of_all, self._stamp(now_ns)))

    def send_safe(self) -> bool:
        """Send the safe action, limited as it always is.

        Returns:
            Whether that is the safe action itself: limits may make it take several commands.
        """
        now_ns = self._now_ns()
        dt = self._dt(now_ns)
        before = [part.command for part in self.parts.values()]
        values = [part.next_safe(dt) for part in self.parts.values()]
        self._sink.publish(self.safe_writer.write(np.concatenate(values), self._stamp(now_ns)))
        return all(np.array_equal(old, new) for old, new in zip(before, values, strict=True))

    def is_due(self, now_ns: int) -> bool:
        """Whether the next command of the rate is due."""
        return to_s(now_ns - self.stamp_ns) >= self.period

    def _dt(self, now_ns: int) -> float:
        passed = to_s(now_ns - self.stamp_ns) if self.stamp_ns else self.period
        return min(self.period, max(passed, _SHORTEST_S)) if passed > 0 else self.period

    def _stamp(self, now_ns: int) -> int:
        """Return the stamp of this command, which is newer than that of the one before."""
        self.stamp_ns = max(now_ns, self.stamp_ns + 1) if now_ns > self.stamp_ns - 1_000_000_000 else now_ns
        return self.stamp_ns
