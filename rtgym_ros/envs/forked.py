"""No environment survives a fork: the child has neither its threads nor the right to move its robot."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """What is told of a fork."""

    def lose_in_fork(self) -> None:
        """Give up in the child, without touching what belongs to the parent."""


_living: weakref.WeakSet[Forkable] = weakref.WeakSet()


def tell_of_forks(environment: Forkable) -> None:
    """Have ``lose_in_fork`` called in every child process that is forked while ``environment`` lives."""
    _living.add(environment)


def _forked() -> None:
    for environment in list(_living):
        environment.lose_in_fork()


os.register_at_fork(after_in_child=_forked)
