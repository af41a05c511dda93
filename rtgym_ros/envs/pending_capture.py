"""The capture of one time-step, made by whichever thread comes first."""

from __future__ import annotations

from collections.abc import Callable

from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.core.errors import InterfaceTimeoutError
from rtgym_ros.envs.outcome import Outcome
from rtgym_ros.envs.time_step_work import Observed
from rtgym_ros.envs.token import Token

CAPTURE = "get_obs_rew_terminated_info"
"""The method of the interface that captures."""


class PendingCapture:
    """The capture of one time-step: exactly one thread may claim it."""

    __slots__ = ("_claim", "_outcome", "_run", "time_step")

    def __init__(self, time_step: TimeStep, run: Callable[[TimeStep], Observed]) -> None:
        self.time_step = time_step
        self._run = run
        self._claim = Token()
        self._outcome = Outcome()

    def claim(self) -> bool:
        """Take the right to capture; True for one caller only."""
        return self._claim.take()

    @property
    def claimed(self) -> bool:
        """Whether somebody captures or has captured."""
        return not self._claim.is_there

    def capture(self) -> None:
        """Wait for the capture to be due and make it, in the caller's thread; to be called by who has claimed it.

        An error of the interface goes to who asks for the :meth:`result`. An interrupt gives the claim back.
        """
        try:
            observed = self._run(self.time_step)
        except Exception as error:
            self._outcome.fail(error)
        except BaseException:
            self._claim.put()
            raise
        else:
            self._outcome.succeed(observed)

    def capture_for_caller(self) -> None:
        """Do the same in another thread: whatever comes out of the interface is the caller's, an exit included."""
        try:
            self.capture()
        except BaseException as error:
            self.claim()
            self._outcome.fail(error)

    def result(self, timeout_s: float, until_due_s: float = 0.0) -> Observed:
        """Return what was captured, or raise what the interface raised, with its traceback.

        Args:
            timeout_s: how long to wait from when the capture is due (s).
            until_due_s: how long it is until then (s).

        Raises:
            InterfaceTimeoutError: nothing within that time.
        """
        if not self._outcome.wait(until_due_s + timeout_s):
            raise blocked(CAPTURE, timeout_s)
        observed: Observed = self._outcome.get()
        return observed

    @property
    def done(self) -> bool:
        """Whether there is a result."""
        return self._outcome.done


def blocked(method: str, timeout_s: float) -> InterfaceTimeoutError:
    """Return the error that says that a method of the interface has not returned."""
    return InterfaceTimeoutError(f"the interface's {method}() has been blocked for {timeout_s:g} s")
