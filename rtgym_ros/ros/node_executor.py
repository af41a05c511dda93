"""The executor that serves an environment's node, in threads of its own that end when they are told to."""

from __future__ import annotations

import logging
from threading import Lock, Thread, current_thread
from time import monotonic, sleep
from typing import Any

from rclpy.context import Context
from rclpy.exceptions import InvalidHandle
from rclpy.executors import Executor as RclpyExecutor
from rclpy.executors import ExternalShutdownException, ShutdownException, TimeoutException, TimeoutObject

from rtgym_ros.ros.callback_gate import CallbackGate

_log = logging.getLogger(__name__)

_THREADS = 2
_RETRY_S = 0.001
"""After what was to be waited for was gone (s)."""

_JOIN_TIMEOUT_S = 5.0
"""How long the end waits for a callback that is still running (s)."""


class NodeExecutor(RclpyExecutor):
    """Runs the callbacks of its nodes in two threads or more, as rclpy's MultiThreadedExecutor does.

    Of that one the thread pool outlives ``shutdown()`` before rclpy 7.1.12, a callback that fails ends the spinning,
    one that never returns keeps the process from ending, and while a callback that was found waits for its thread it
    looks for work without a pause, so that few others get on. Here the threads wait in turns, as in rclcpp: the one
    that has found a callback runs it, and the next one waits.

    Args:
        context: of the nodes. When it is shut down, from wherever, the executor ends without a word.
        name: of the threads.
        threads: how many callbacks may run at a time.
    """

    def __init__(self, context: Context, name: str, threads: int = _THREADS) -> None:
        super().__init__(context=context)
        self.gate = CallbackGate()
        """When callbacks are begun: always, unless a clock thread tells it."""
        self._name = name
        self._is_ending = self._is_closed = False
        self._waits = Lock()
        self._timeout = TimeoutObject(None)  # one object: for another argument rclpy forgets what else is ready
        self._threads = [
            Thread(target=self.spin, name=f"rtgym_ros callbacks of {name}", daemon=True) for _ in range(threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def spin(self) -> None:
        """Run ready callbacks until the end of the executor or of its context."""
        while not self._is_ending and self.context.ok():
            self.spin_once()

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Wait for a callback and run it; return without one where the gate closes meanwhile."""
        with self._waits:
            handler = None if self._is_ending else self._next()
        if handler is None:
            return
        self.gate.wait()
        handler()
        error = handler.exception()
        if error is not None and self.context.ok():  # the node's other callbacks go on
            _log.error("a callback of node %s failed", self._name, exc_info=error)

    def close(self) -> None:
        """End the threads, after the callbacks that are running: one that goes on for 5 s is left behind. Once."""
        if self._is_closed:
            return
        self._is_ending = self._is_closed = True
        self.gate.open_until(None)
        self.create_task(_nothing)  # something to do is all that brings the waiting thread back
        deadline = monotonic() + _JOIN_TIMEOUT_S
        others = [thread for thread in self._threads if thread is not current_thread()]
        for thread in others:
            thread.join(max(deadline - monotonic(), 0.0))
        if any(thread.is_alive() for thread in others):
            _log.error("a callback of node %s has not ended for %g s", self._name, _JOIN_TIMEOUT_S)
        else:
            self.shutdown(0.0)

    def _next(self) -> Any:
        self._timeout.timeout = self.gate.wait()
        try:
            return self.wait_for_ready_callbacks(timeout_sec=self._timeout)[0]
        except TimeoutException:
            pass
        except (ExternalShutdownException, ShutdownException):
            self._is_ending = True
        except InvalidHandle:  # another thread has destroyed a publisher or timer that was about to be waited for
            sleep(_RETRY_S)
        except Exception:
            if not self._is_ending and self.context.ok():  # otherwise what it waited for was destroyed under it
                _log.exception("the executor of node %s failed: its callbacks are no longer served", self._name)
            self._is_ending = True
        return None


def _nothing() -> None:
    pass
