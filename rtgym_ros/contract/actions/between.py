"""Commands between two time-steps, as functions of time alone."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, Any]
Between = Literal["hold", "linear"]


def between(previous: Array, current: Array, elapsed: float, duration: float, how: Between) -> Array:
    """Return the target of a command that is sent ``elapsed`` after the beginning of a time-step.

    Args:
        previous: target of the time-step before.
        current: target of this one.
        elapsed: time since its beginning (s).
        duration: of a time-step (s).
        how: ``hold``: the current one at once; ``linear``: on a line from the previous to the current one, which is
            reached at the end of the time-step, and kept if that comes late.
    """
    if how == "hold" or elapsed >= duration:
        return current
    return np.asarray(previous + (current - previous) * (max(elapsed, 0.0) / duration))
