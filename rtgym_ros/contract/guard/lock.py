"""The lock of the guard: an emergency stop that engages when its publisher dies."""

from __future__ import annotations


class Lock:
    """Engaged when told so, and when silent: at the beginning too.

    Args:
        timeout_ns: after this silence (ns) it engages.
    """

    def __init__(self, timeout_ns: int) -> None:
        self._timeout_ns = timeout_ns
        self._heard_ns: int | None = None
        self._is_true = True

    def receive(self, engaged: bool, now_ns: int) -> None:
        """Note a message that arrived at ``now_ns``."""
        self._is_true = engaged
        self._heard_ns = now_ns

    def is_silent(self, now_ns: int) -> bool:
        """Whether nothing has come for the timeout."""
        return self._heard_ns is None or now_ns - self._heard_ns >= self._timeout_ns

    def is_engaged(self, now_ns: int) -> bool:
        """Whether the robot must not be commanded."""
        return self._is_true or self.is_silent(now_ns)

    def forget(self) -> None:
        """Be silent until the next message: the clock was set back."""
        self._heard_ns = None
