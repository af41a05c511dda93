"""The stamps of the commands that the guard sends."""

from __future__ import annotations


class CommandStamps:
    """Keeps the stamp of a forwarded command, by which the robot's echo names it, where that can be trusted.

    A stamp that is further from now than the tolerance, or no newer than that of the command before, is replaced: a
    robot may drop what seems old, and may wait until what seems to be of the future is due.

    Args:
        tolerance_ns: the most that a stamp may be away from now (ns).
    """

    def __init__(self, tolerance_ns: int) -> None:
        self._tolerance_ns = tolerance_ns
        self._last_ns = 0

    def next_ns(self, now_ns: int, stamp_ns: int | None) -> int:
        """Return the stamp of the command that is sent now.

        Args:
            now_ns: ROS time (ns).
            stamp_ns: of the input's message; None of the safe action, of a repetition, of a message without.
        """
        if self._last_ns - now_ns > self._tolerance_ns:
            self._last_ns = 0  # the clock was set back
        trusted = stamp_ns is not None and abs(now_ns - stamp_ns) <= self._tolerance_ns and stamp_ns > self._last_ns
        self._last_ns = stamp_ns if trusted and stamp_ns is not None else max(now_ns, self._last_ns + 1)
        return self._last_ns
