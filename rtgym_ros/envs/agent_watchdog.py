"""Stops the robot of an agent that no longer calls: it trains, it hangs, it has been forgotten."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, RLock, Thread, current_thread
from typing import Any

from rtgym_ros.core.errors import InterfaceTimeoutError
from rtgym_ros.core.time_source import TimeSource, to_ns, to_s
from rtgym_ros.envs.token import Token

_LONGEST_WAIT_S = 1.0
"""Between two looks (s): the clock of a simulation may go faster than ours."""


class AgentWatchdog:
    """Takes turns with the agent: ``with watchdog:`` is the agent's turn, in which nothing else happens to the robot.

    Between two turns it waits until the time that :meth:`expect` has set, then stops the robot, once. Its thread is
    started with the first time that it has something to wait for.

    Args:
        time_source: the clock; on one that does not pass by itself no agent can be late.
        timeout_s: how long after the end of a time-step the agent may stay away (s); ``inf`` is for ever.
        stop_robot: what to do when it stays away for longer.
        patience_s: how long the agent waits for that to end (s) if it comes back meanwhile.
    """

    def __init__(
        self, time_source: TimeSource, timeout_s: float, stop_robot: Callable[[], Any], patience_s: float
    ) -> None:
        self._time = time_source
        self._timeout_ns = to_ns(timeout_s) if time_source.passes_by_itself and timeout_s < 1e9 else None
        self._stop_robot = stop_robot
        self._patience_s = patience_s
        self._idle_s = min(timeout_s / 4, _LONGEST_WAIT_S)
        self._turn = RLock()
        self._depth = 0
        self._deadline_ns: int | None = None
        self._next_turn = Token(is_there=False)  # who takes it, the agent or the watchdog, has the next turn
        self._stopping = Lock()
        self._closed = Event()
        self._thread: Thread | None = None
        self.stops = 0
        """How often the robot was stopped."""

    def __enter__(self) -> None:
        self._turn.acquire()
        try:
            if self._depth == 0 and self._deadline_ns is not None and not self._next_turn.take():
                self._wait_for_the_stop()
        except BaseException:
            self._turn.release()
            raise
        self._depth += 1

    def __exit__(self, *_exception: object) -> None:
        self._depth -= 1
        if self._depth == 0 and self._deadline_ns is not None:
            self._next_turn.put()
            if self._thread is None:
                self._thread = Thread(target=self._watch, name="rtgym_ros agent watchdog", daemon=True)
                self._thread.start()
        self._turn.release()

    def expect(self, end_ns: int | None) -> None:
        """Wait for the agent from the end of a time-step on, once its turn is over; None does not."""
        self._deadline_ns = None if end_ns is None or self._timeout_ns is None else end_ns + self._timeout_ns

    def close(self) -> bool:
        """End the thread; return whether it ended."""
        self._next_turn.take()
        self._deadline_ns = None
        self._closed.set()
        if self._thread is None or self._thread is current_thread():
            return True
        self._thread.join(_LONGEST_WAIT_S)
        return not self._thread.is_alive()

    def _wait_for_the_stop(self) -> None:
        """Let the watchdog's turn end before the agent's begins."""
        if not self._stopping.acquire(timeout=self._patience_s):
            raise InterfaceTimeoutError(
                f"the interface's send_control() has been blocked for {self._patience_s:g} s: the safe action of an "
                "absent agent"
            )
        self._stopping.release()
        self._deadline_ns = None

    def _watch(self) -> None:
        while not self._closed.wait(self._wait_s()):
            deadline_ns = self._deadline_ns
            if deadline_ns is None or self._time.now_ns() < deadline_ns:
                continue
            with self._stopping:
                if self._deadline_ns == deadline_ns and self._next_turn.take():
                    self.stops += 1
                    self._stop_robot()

    def _wait_s(self) -> float:
        deadline_ns = self._deadline_ns
        if deadline_ns is None or not self._next_turn.is_there:
            return self._idle_s
        return min(max(to_s(deadline_ns - self._time.now_ns()), 0.0), _LONGEST_WAIT_S)
