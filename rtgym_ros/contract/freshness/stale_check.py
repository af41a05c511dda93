"""Whether an observation is too old."""

from __future__ import annotations

from typing import Literal

from rtgym_ros.contract.freshness.outcome import OF_VERB, Outcome

_LEAST_S = 1.0
_TIME_STEPS = 5


class StaleCheck:
    """Holds the age of one part of the observation against ``max_age``.

    Args:
        max_age: the oldest that it may be at its capture (s), ``none``: as old as it wants; None: the larger of 1 s and
            5 time-steps.
        when_stale: what happens when it is older.
        time_step_duration: (s).

    Attributes:
        max_age: the bound (s), infinite where there is none.
        stale: how many captures were too old.
    """

    def __init__(
        self,
        max_age: float | Literal["none"] | None,
        when_stale: Literal["warn", "truncate", "fail"],
        time_step_duration: float,
    ) -> None:
        if max_age is None:
            max_age = max(_LEAST_S, _TIME_STEPS * time_step_duration)
        self.max_age = float("inf") if isinstance(max_age, str) else max_age
        self.stale = 0
        self._outcome = OF_VERB[when_stale]

    def check(self, age: float) -> Outcome:
        """Return what the age (s) of a capture leads to; NaN, of what has never come, is too old."""
        if age <= self.max_age:
            return Outcome.FINE
        self.stale += 1
        return self._outcome

    def message(self, name: str, topic: str, age: float) -> str:
        """Return one line on what is too old."""
        if age != age:
            return f"{name}: no message on {topic} yet"
        return f"{name}: the newest message on {topic} is {age:.3g} s old; allowed: {self.max_age:g} s"
