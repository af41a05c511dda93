"""A call that one thread asks another one to make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rtgym_ros.envs.outcome import Outcome
from rtgym_ros.envs.token import Token


class SubmittedCall(Outcome):
    """``function(*args)``, to be made by who takes it."""

    __slots__ = ("_args", "_function", "_right")

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        super().__init__()
        self._function = function
        self._args = args
        self._right = Token()

    @property
    def is_wanted(self) -> bool:
        """Whether nobody has taken it yet."""
        return self._right.is_there

    def take(self) -> bool:
        """Take the right to make it, or to see to it that nobody does; True for one caller only."""
        return self._right.take()

    def run(self) -> None:
        """Make it, and keep what it returns or raises."""
        try:
            self.succeed(self._function(*self._args))
        except BaseException as error:
            self.fail(error)
