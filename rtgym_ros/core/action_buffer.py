"""The last actions, oldest first: the part of the state that is still under way to the robot."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

Action = Any
"""An element of the action space: usually a NumPy array, a NumPy scalar for a Discrete space."""


class ActionBuffer:
    """Holds copies of the last ``length`` actions (Katsikopoulos and Engelbrecht 2003, delayed MDPs).

    Args:
        length: how many; 0 keeps none.
    """

    def __init__(self, length: int) -> None:
        self._actions: deque[Action] = deque(maxlen=length)
        self._copy: Callable[[Action], Action] = np.ndarray.copy  # of all there are: far cheaper than to ask each

    def __len__(self) -> int:
        return len(self._actions)

    @property
    def newest(self) -> Action:
        """A copy of the action appended last.

        Raises:
            IndexError: the buffer is empty.
        """
        return copy_action(self._actions[-1])

    def fill(self, action: Action) -> None:
        """Make every entry ``action``."""
        for _ in range(self._actions.maxlen or 0):
            self.append(action)

    def append(self, action: Action) -> None:
        """Add ``action`` as the newest; the oldest falls out."""
        if not isinstance(action, np.ndarray):
            self._copy = copy_action
        self._actions.append(self._copy(action))

    def replace_newest(self, action: Action) -> None:
        """Put ``action`` in the place of the newest, which was never sent."""
        if self._actions:
            self._actions.pop()
            self.append(action)

    def snapshot(self) -> tuple[Action, ...]:
        """Return the actions, oldest first, as copies that nobody else writes to."""
        return tuple(map(self._copy, self._actions))


def copy_action(action: Action) -> Action:
    """Return a copy of an element of an action space, down to its arrays."""
    return action.copy() if isinstance(action, np.ndarray) else deepcopy(action)
