"""Telling that the action buffer is too short for the delays."""

from __future__ import annotations

from collections.abc import Callable

from rtgym_ros.delays.time_step_delays import TimeStepDelays


class BufferAlarm:
    """Counts observations whose sample the robot left with an action that is not in the action buffer; says so once.

    The action that is applied from the sample on stands at place ``alpha + kappa`` of the buffer, the newest at 0.
    Where that is ``act_buf_len`` or more, what happens next does not follow from observation and buffer: the
    observation is not Markovian. (In a robot that takes a new action at each sample ``kappa`` is ``beta - 1``, and this
    is ``alpha + beta > act_buf_len``.)

    Args:
        act_buf_len: length of the action buffer.
        warn: called once, with one line that says what to change.

    Attributes:
        count: observations of which this was so.
    """

    def __init__(self, act_buf_len: int, warn: Callable[[str], None]) -> None:
        self.count = 0
        self._act_buf_len = act_buf_len
        self._warn = warn

    def check(self, delays: TimeStepDelays) -> bool:
        """Count, and return whether this observation is one of them. What is not known is not counted."""
        place = delays.kappa_total
        if place is None or place < self._act_buf_len:
            return False
        self.count += 1
        if self.count == 1:
            self._warn(
                f"the robot applied the action sent {place} time-steps before the newest, and act_buf_len is "
                f"{self._act_buf_len}: the observation is not Markovian; make act_buf_len at least {place + 1} "
                "(said once, then counted)"
            )
        return True
