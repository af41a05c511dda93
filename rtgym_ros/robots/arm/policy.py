"""A pilot of the arm: relative actions towards the target, as fast as its lag allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

MAX_STEP = 0.05
"""What an action of 1 adds to the last command (rad), in the contract of the arm."""

_GAIN = 0.35
"""Share of the remaining way that is commanded in a time-step."""

_UNDER_WAY = 4
"""How many of the newest actions the joints do not show yet: link, and servos that lag by 133 ms."""


def move_to_target(observation: Mapping[str, Any]) -> np.ndarray:
    """Return the change of each command, -1 to 1, float32 of shape (6,).

    The actions under way, which are in the action buffer, count as if they had been carried out: without them a lag
    makes the arm swing.

    Args:
        observation: parts ``joints``, ``target`` (rad) and ``action_buffer``.
    """
    under_way = MAX_STEP * np.asarray(observation["action_buffer"][-_UNDER_WAY:], np.float64).sum(axis=0)
    left = np.asarray(observation["target"], np.float64) - np.asarray(observation["joints"], np.float64) - under_way
    action: np.ndarray = np.clip(_GAIN * left / MAX_STEP, -1.0, 1.0).astype(np.float32)
    return action
