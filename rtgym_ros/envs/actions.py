"""No action reaches a robot before it has been copied, checked and kept inside the action space."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.action_buffer import copy_action
from rtgym_ros.core.errors import ActionError


class ActionGuard:
    """Turns what a policy returned into an element of the action space, or refuses it.

    Args:
        space: the action space.
        clip: clip an out-of-bounds action of a Box into it; otherwise refuse it.
    """

    def __init__(self, space: spaces.Space[Any], clip: bool) -> None:
        self._space = space
        self._clip = clip

    def admit(self, action: Any, source: str = "action") -> Any:
        """Return a checked copy of ``action``.

        Args:
            action: anything that converts to an element of the space.
            source: what to call it in the error.

        Raises:
            ActionError: wrong shape or type, not finite, or out of bounds where that is not clipped.
        """
        if isinstance(self._space, spaces.Box):
            return self._admit_array(action, self._space, source)
        if not self._space.contains(action):
            raise ActionError(f"{source} must be an element of {self._space}, got {action!r}")
        return copy_action(action)

    def _admit_array(self, action: Any, box: spaces.Box, source: str) -> Any:
        if isinstance(action, np.ndarray) and action.dtype == box.dtype and action.shape == box.shape:
            # The common case, in a third of the time. NaN is in no interval.
            inside = (box.low <= action) & (action <= box.high)
            if b"\0" not in inside.tobytes():
                return action.copy()
        try:
            given = np.array(action)
            finite = np.isfinite(given).all()
        except (TypeError, ValueError) as error:
            raise ActionError(f"{source} must be numbers of shape {box.shape}, got {action!r}") from error
        if given.shape != box.shape:
            raise ActionError(f"{source} must have shape {box.shape}, got {given.shape}")
        if not finite:
            raise ActionError(f"{source} must be finite, got {given.tolist()}")
        if not np.can_cast(given.dtype, box.dtype, "same_kind") and given.dtype.kind not in "iub":
            raise ActionError(f"{source} must be of type {box.dtype}, got {given.dtype}")
        inside = np.clip(given, box.low, box.high)  # before the cast: integers would wrap around
        if not self._clip and (inside != given).any():
            raise ActionError(
                f"{source} must lie in [{box.low.tolist()}, {box.high.tolist()}], got {given.tolist()}; "
                "set config['out_of_bounds_action'] = 'clip' to have it clipped"
            )
        return np.asarray(inside, dtype=box.dtype)
