"""No action reaches a robot before it has been copied, checked and kept inside the action space."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.action_buffer import copy_action
from rtgym_ros.core.caller_warning import warn_caller
from rtgym_ros.core.errors import ActionError, ActionWarning


class ActionGuard:
    """Turns what a policy returned into an element of the action space, or refuses it.

    Args:
        space: the action space.
        out_of_bounds: ``"clip"`` an action of a Box into it, ``"raise"``, or ``"send"`` it, with one warning.
        check: ``"raise"`` an error, or ``"warn"`` once. With ``"warn"`` an action is admitted as it is, neither cast
            nor converted; what is not finite is never admitted.
        warn: collects that warning; by default it is given at once.

    Attributes:
        clipped: how many actions were clipped.
    """

    def __init__(
        self,
        space: spaces.Space[Any],
        out_of_bounds: str = "clip",
        check: str = "raise",
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self.clipped = 0
        self._space = space
        self._out_of_bounds = out_of_bounds
        self._warn = warn or partial(warn_caller, category=ActionWarning)
        self._is_strict = check == "raise"
        self._warned: set[type[ActionError]] = set()
        self._kind: tuple[Any, Any] = (None, None)
        if isinstance(space, spaces.Box):
            self._kind, self._low, self._high = (space.dtype, space.shape), space.low, space.high

    def admit(self, action: Any, source: str = "action") -> Any:
        """Return a checked copy of ``action``.

        Args:
            action: anything that converts to an element of the space.
            source: what to call it in the error.

        Raises:
            ActionError: wrong shape or type, not finite, or out of bounds where that is not clipped.
        """
        if type(action) is np.ndarray and (action.dtype, action.shape) == self._kind:
            copied = action.copy()  # before the check: somebody may go on writing into it
            inside = (self._low <= copied) & (copied <= self._high)  # NaN is in no interval
            if b"\0" not in inside.tobytes():  # a tenth of the time that all() takes
                return copied
        try:
            admitted = self._admit(action, source)
        except _OutOfBoundsError as error:
            if self._is_strict and self._out_of_bounds != "send":
                raise ActionError(f"{error}; set config['out_of_bounds_action'] = 'clip' to have it clipped") from None
            self._warn_once(error)
            return error.action if self._is_strict else copy_action(action)
        except ActionError as error:
            if self._is_strict or not _may_be_sent(action):
                raise
            self._warn_once(error)
            return copy_action(action)
        return admitted if self._is_strict or self._out_of_bounds == "clip" else copy_action(action)

    def _warn_once(self, error: ActionError) -> None:
        if type(error) not in self._warned:
            self._warned.add(type(error))
            self._warn(f"{error}; it is sent as it is, and so are others like it")

    def _admit(self, action: Any, source: str) -> Any:
        if isinstance(self._space, spaces.Box):
            return self._admit_array(action, self._space, source)
        if not self._space.contains(action):
            raise ActionError(f"{source} must be an element of {self._space}, got {action!r}")
        return copy_action(action)

    def _admit_array(self, action: Any, box: spaces.Box, source: str) -> Any:
        try:
            given = np.array(action)
            finite = np.isfinite(given).all()
        except (TypeError, ValueError) as error:
            raise ActionError(f"{source} must be numbers of shape {box.shape}, got {action!r}") from error
        if given.shape == () and box.shape == (1,):
            given = given.reshape(1)  # a number can only mean the one element
        if given.shape != box.shape:
            raise ActionError(f"{source} must have shape {box.shape}, got {given.shape}")
        if not finite:
            raise ActionError(f"{source} must be finite, got {given.tolist()}")
        if not np.can_cast(given.dtype, box.dtype, "same_kind") and given.dtype.kind not in "iub":
            raise ActionError(f"{source} must be of type {box.dtype}, got {given.dtype}")
        if given.dtype.kind == "f":
            with np.errstate(over="ignore"):
                given = given.astype(box.dtype)  # before the clipping: a bound of float32 is not that of float64
        inside = np.clip(given, box.low, box.high)  # before the cast of integers, which would wrap around
        if self._out_of_bounds != "clip" and (inside != given).any():
            bounds = f"[{box.low.tolist()}, {box.high.tolist()}]"
            raise _OutOfBoundsError(f"{source} must lie in {bounds}, got {given.tolist()}", given)
        self.clipped += bool((inside != given).any())
        return np.asarray(inside, dtype=box.dtype)


class _OutOfBoundsError(ActionError):
    """Everything about an action is in order but its size.

    Args:
        message: says so.
        action: it, as an array of the space's shape and, where it has decimals, type.
    """

    def __init__(self, message: str, action: Any) -> None:
        super().__init__(message)
        self.action = action


def _may_be_sent(action: Any) -> bool:
    """Whether an action that is not in its space has no number in it that no robot can follow."""
    if action is None:
        return True  # Real-Time Gym's way to send nothing
    try:
        return bool(np.isfinite(np.asarray(action, dtype=np.float64)).all())
    except (TypeError, ValueError):
        return True
