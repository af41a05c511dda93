"""How many want a setting of the whole process: the first makes it, the last takes it back."""

from __future__ import annotations

import os
import weakref
from threading import RLock
from types import TracebackType

_all: weakref.WeakSet[Users] = weakref.WeakSet()


class Users:
    """A number that is changed inside ``with users:``."""

    def __init__(self) -> None:
        self._lock = RLock()  # a forgotten environment may be finalized by a collection inside of it
        self.number = 0
        _all.add(self)

    def __enter__(self) -> Users:
        self._lock.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def be_forked(self) -> None:
        """Forget who holds the lock: it is somebody in the parent."""
        self._lock = RLock()


def _forked() -> None:
    for users in list(_all):
        users.be_forked()


os.register_at_fork(after_in_child=_forked)
