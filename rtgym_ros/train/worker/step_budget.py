"""The synchronous mode: so many time-steps per version of the weights, and no more."""

from __future__ import annotations


class StepBudget:
    """Counts time-steps against versions of the weights.

    Args:
        max_steps_per_update: that every new version allows.
        initial_steps: allowed before the first new version.
    """

    def __init__(self, max_steps_per_update: float, initial_steps: int) -> None:
        self._per_update = max_steps_per_update
        self._initial_steps = initial_steps
        self._updates = 0
        self._version: int | None = None
        self._steps = 0

    def spend(self, steps: int) -> None:
        """Count time-steps that were made."""
        self._steps += steps

    def note_version(self, version: int) -> None:
        """Note the version of the newest weights; versions that were skipped on the way count, too."""
        # A lower one comes from a server that began anew.
        if self._version is not None and version > self._version:
            self._updates += version - self._version
        self._version = version

    @property
    def is_spent(self) -> bool:
        """Whether the next time-step has to wait for a new version."""
        return self._steps >= self._initial_steps + self._per_update * self._updates
