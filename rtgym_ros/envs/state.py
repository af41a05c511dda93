"""The states of an environment."""

from __future__ import annotations

from enum import Enum, auto


class State(Enum):
    """What an environment is doing."""

    CREATED = auto()
    """Made, never reset: nothing has been sent."""
    RUNNING = auto()
    """In an episode."""
    DONE = auto()
    """The episode is over; ``reset()`` begins the next."""
    FAILED = auto()
    """The interface failed and the safe action was sent; ``reset()`` may begin again."""
    CLOSED = auto()
    """Closed for good."""
