"""Whether to train or to wait: arithmetic only."""

from __future__ import annotations

from fractions import Fraction
from math import floor


def updates_due(
    updates: int, transitions: int, memory_length: int, start_training: int, max_updates_per_sample: float
) -> int:
    """Return how many updates may be done now; 0 means to wait for samples.

    Args:
        updates: done so far.
        transitions: ever put into the replay memory.
        memory_length: how many are in there.
        start_training: how many must be, before the first update.
        max_updates_per_sample: cap of ``updates / transitions``, over the whole run; taken as the decimal number that
            it is written as, so that 0.1 of 30 is 3.
    """
    if memory_length == 0 or (updates == 0 and memory_length < start_training):
        return 0
    return max(0, floor(Fraction(str(max_updates_per_sample)) * transitions) - updates)
