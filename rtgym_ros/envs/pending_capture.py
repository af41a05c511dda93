"""The capture of one time-step, made by whichever thread comes first."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.core.errors import InterfaceTimeoutError
from rtgym_ros.envs.time_step_work import Observed

CAPTURE = "get_obs_rew_terminated_info"
"""The method of the interface that captures."""


class PendingCapture:
    """The capture of one time-step: exactly one thread may claim it."""

    def __init__(self, time_step: TimeStep, run: Callable[[TimeStep], Observed]) -> None:
        self.time_step = time_step
        self._run = run
        self._tokens = [None]
        self._future: Future[Observed] = Future()

    def claim(self) -> bool:
        """Take the right to capture; True for one caller only."""
        try:
            self._tokens.pop()  # atomic, and cheaper than a lock
        except IndexError:
            return False
        return True

    @property
    def claimed(self) -> bool:
        """Whether somebody captures or has captured."""
        return not self._tokens

    def capture(self) -> None:
        """Wait for the capture to be due and make it, in the caller's thread; to be called by who has claimed it.

        An error of the interface goes to who asks for the :meth:`result`. An interrupt gives the claim back.
        """
        try:
            self._future.set_result(self._run(self.time_step))
        except Exception as error:
            self._future.set_exception(error)
        except BaseException:
            self._tokens.append(None)
            raise

    def capture_for_caller(self) -> None:
        """Do the same in another thread: whatever comes out of the interface is the caller's, an exit included."""
        try:
            self.capture()
        except BaseException as error:
            self.claim()
            self._future.set_exception(error)

    def result(self, timeout_s: float, until_due_s: float = 0.0) -> Observed:
        """Return what was captured, or raise what the interface raised, with its traceback.

        Args:
            timeout_s: how long to wait from when the capture is due (s).
            until_due_s: how long it is until then (s).

        Raises:
            InterfaceTimeoutError: nothing within that time.
        """
        observed: Observed = result_of(self._future, timeout_s, CAPTURE, until_due_s)
        return observed

    @property
    def done(self) -> bool:
        """Whether there is a result."""
        return self._future.done()


def result_of(future: Future[Any], timeout_s: float, method: str, before_s: float = 0.0) -> Any:
    """Return or raise what a call of the interface in another thread did.

    Raises:
        InterfaceTimeoutError: nothing within ``timeout_s`` after ``before_s``; ``method`` names the call.
    """
    try:
        return future.result(before_s + timeout_s)
    except FutureTimeoutError:
        if future.done():  # the interface itself raised it
            raise
        raise InterfaceTimeoutError(f"the interface's {method}() has been blocked for {timeout_s:g} s") from None
