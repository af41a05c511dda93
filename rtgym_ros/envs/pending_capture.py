"""The capture of one time-step, made by whichever thread comes first."""

from __future__ import annotations

from collections.abc import Callable

from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.core.errors import InterfaceTimeoutError
from rtgym_ros.envs.outcome import Outcome
from rtgym_ros.envs.submitted_call import SubmittedCall
from rtgym_ros.envs.time_step_work import Captured
from rtgym_ros.envs.token import Token

CAPTURE = "get_obs_rew_terminated_info"
"""The method of the interface that captures."""

SEND = "send_control"
"""The method of the interface that sends."""


class PendingCapture(Outcome):
    """The capture of one time-step: exactly one thread may claim it.

    Attributes:
        time_step: which one.
        successor: what the thread that captures does directly afterwards, unless somebody takes it before.
    """

    __slots__ = ("_claim", "_run", "successor", "time_step")

    def __init__(self, time_step: TimeStep, run: Callable[[TimeStep], Captured]) -> None:
        super().__init__()
        self.time_step = time_step
        self.successor: SubmittedCall | None = None
        self._run = run
        self._claim = Token()

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
            captured = self._run(self.time_step)
        except Exception as error:
            self.fail(error)
        except BaseException:
            self._claim.put()
            raise
        else:
            self.succeed(captured)

    def capture_for_caller(self) -> None:
        """Do the same in another thread: whatever comes out of the interface is the caller's, an exit included."""
        try:
            self.capture()
        except BaseException as error:
            self.claim()
            self.fail(error)

    def result(self, timeout_s: float, until_due_s: float = 0.0) -> Captured:
        """Return what was captured, or raise what the interface raised, with its traceback.

        Args:
            timeout_s: how long to wait from when the capture is due (s).
            until_due_s: how long it is until then (s).

        Raises:
            InterfaceTimeoutError: nothing within that time.
        """
        if not self.done and not self.wait(until_due_s + timeout_s):
            raise blocked(CAPTURE, timeout_s)
        captured: Captured = self.get()
        return captured


def blocked(method: str, timeout_s: float) -> InterfaceTimeoutError:
    """Return the error that says that a method of the interface has not returned."""
    return InterfaceTimeoutError(f"the interface's {method}() has been blocked for {timeout_s:g} s")
