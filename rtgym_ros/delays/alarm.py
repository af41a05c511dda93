"""Telling that the action buffer is too short for the delays."""

from __future__ import annotations

from collections.abc import Callable

from rtgym_ros.delays.time_step_delays import TimeStepDelays


class BufferAlarm:
    """Counts observations that were taken under an action older than the action buffer, and says so once.

    Where ``alpha + beta > act_buf_len``, actions that were applied after the sample are not in the buffer: what happens
    next does not follow from observation and buffer, so the observation is not Markovian. The arithmetic of both is in
    ``docs/delays.md``.

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
        return self.check_total(delays.total)

    def check_total(self, total: int | None) -> bool:
        """The same for ``alpha + beta`` alone (time-steps)."""
        if total is None or total <= self._act_buf_len:
            return False
        self.count += 1
        if self.count == 1:
            self._warn(
                f"an observation was taken under the action sent {total} time-steps before, and act_buf_len is "
                f"{self._act_buf_len}: the observation is not Markovian; make act_buf_len at least {total} "
                "(said once; info counts them)"
            )
        return True
