"""The executor that serves an environment's node, in threads of its own that end when they are told to."""

from __future__ import annotations

import logging
from queue import SimpleQueue
from threading import Thread
from time import monotonic, sleep
from typing import Any

from rclpy.context import Context
from rclpy.exceptions import InvalidHandle
from rclpy.executors import Executor as RclpyExecutor
from rclpy.executors import ExternalShutdownException, ShutdownException, TimeoutException

_log = logging.getLogger(__name__)

_THREADS = 2
_RETRY_S = 0.001
"""After what was to be waited for was gone (s)."""

_JOIN_TIMEOUT_S = 5.0
"""How long the end waits for a callback that is still running (s)."""


class NodeExecutor(RclpyExecutor):
    """Runs the callbacks of its nodes in two threads or more, as rclpy's MultiThreadedExecutor does.

    Of that one the thread pool outlives ``shutdown()`` before rclpy 7.1.12, a callback that fails ends the spinning,
    and one that never returns keeps the process from ending.

    Args:
        context: of the nodes. When it is shut down, from wherever, the executor ends without a word.
        name: of the threads.
        threads: how many callbacks may run at a time.
    """

    def __init__(self, context: Context, name: str, threads: int = _THREADS) -> None:
        super().__init__(context=context)
        self._is_ending = False
        self._work: SimpleQueue[Any] = SimpleQueue()
        self._spinning = Thread(target=self.spin, name=f"rtgym_ros executor of {name}", daemon=True)
        self._workers = [
            Thread(target=self._run_callbacks, name=f"rtgym_ros callbacks of {name}", daemon=True)
            for _ in range(threads)
        ]
        self._name = name

    def start(self) -> None:
        """Start the threads."""
        for thread in (self._spinning, *self._workers):
            thread.start()

    def spin(self) -> None:
        """Hand ready callbacks to the threads until the end of the executor or of its context."""
        while not self._is_ending and self.context.ok():
            try:
                self.spin_once()
            except (ExternalShutdownException, ShutdownException):
                return
            except InvalidHandle:  # another thread has destroyed a publisher or timer that was about to be waited for
                sleep(_RETRY_S)
            except Exception:
                if self._is_ending or not self.context.ok():  # what it waited for was destroyed under it
                    return
                _log.exception("the executor of node %s failed: its callbacks are no longer served", self._name)
                return

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Wait for one ready callback and hand it to the threads."""
        try:
            handler, _, _ = self.wait_for_ready_callbacks(timeout_sec=timeout_sec)
        except TimeoutException:
            return
        self._work.put(handler)

    def close(self) -> None:
        """End the threads, after the callbacks that are running: one that goes on for 5 s is left behind. Once."""
        if self._is_ending:
            return
        self._is_ending = True
        self.create_task(_nothing)  # something to do is all that brings the loop back
        deadline = monotonic() + _JOIN_TIMEOUT_S
        self._spinning.join(_JOIN_TIMEOUT_S)
        for _ in self._workers:
            self._work.put(None)
        for thread in self._workers:
            thread.join(max(deadline - monotonic(), 0.0))
        if any(thread.is_alive() for thread in (self._spinning, *self._workers)):
            _log.error("a callback of node %s has not ended for %g s", self._name, _JOIN_TIMEOUT_S)
        else:
            self.shutdown(0.0)

    def _run_callbacks(self) -> None:
        while (handler := self._work.get()) is not None:
            handler()
            error = handler.exception()
            if error is not None and self.context.ok():  # the node's other callbacks go on
                _log.error("a callback of node %s failed", self._name, exc_info=error)


def _nothing() -> None:
    pass
