"""Calls to the user's interface: which method is being called, since when, and how long it may take."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.errors import InterfaceTimeoutError, RtgymError

SEND = "send_control"
CAPTURE = "get_obs_rew_terminated_info"


class InterfaceCalls:
    """Makes the calls; any other thread may ask which one is under way.

    Args:
        timeout: the longest that a method may take (s).
        timeouts: the same of single methods (s), where it is shorter.
    """

    def __init__(self, timeout: float, timeouts: dict[str, float] | None = None) -> None:
        self._timeout = timeout
        self._timeouts = timeouts or {}
        self._current: tuple[str, float] | None = None
        self._abandoned = False
        self.shortest_timeout = min(timeout, *self._timeouts.values()) if self._timeouts else timeout

    @classmethod
    def of(cls, config: RealTimeConfig) -> InterfaceCalls:
        """Return calls with the bounds of a configuration."""
        bounds = {SEND: config.send_control_timeout, CAPTURE: config.get_obs_timeout}
        return cls(config.interface_timeout, bounds)

    def call(self, method: str, function: Callable[..., Any], *args: Any) -> Any:
        """Return ``function(*args)``; an error of the user's code gets a note that names ``method``.

        Raises:
            InterfaceTimeoutError: it returned, but after the public call that waited for it had given up.
        """
        around = self._current  # an interface may use its environment
        self._current = (method, monotonic())
        try:
            answer = function(*args)
        except BaseException as error:
            _note(error, method)
            raise
        finally:
            self._current = around
        if self._abandoned:
            raise InterfaceTimeoutError(f"the interface's {method}() returned after its caller had given up")
        return answer

    def timeout_of(self, method: str) -> float:
        """Return how long a method may take (s)."""
        return min(self._timeouts.get(method, self._timeout), self._timeout)

    def remaining(self) -> float:
        """Return how long the call under way may still take (s), or a whole new one where none is."""
        current = self._current
        if current is None:
            return self.shortest_timeout
        method, since = current
        return since + self.timeout_of(method) - monotonic()

    @property
    def current(self) -> str | None:
        """The method that is being called, None between two calls."""
        current = self._current
        return None if current is None else current[0]

    @property
    def abandoned(self) -> bool:
        """Whether a public call has given up waiting, and the robot has not been stopped since."""
        return self._abandoned

    def abandon(self) -> None:
        """Give up waiting for the call under way: once it returns it counts as failed."""
        self._abandoned = True

    def resume(self) -> bool:
        """Forget that; return whether there was anything to forget."""
        abandoned, self._abandoned = self._abandoned, False
        return abandoned


def _note(error: BaseException, method: str) -> None:
    """Note on the user's error which method it came out of (PEP 678; shown by Python 3.11 and later)."""
    if not isinstance(error, RtgymError) and not hasattr(error, "__notes__"):
        error.__notes__ = [f"raised in the interface's {method}()"]
