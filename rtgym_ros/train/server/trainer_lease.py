"""There is one trainer; another one may take over when it has been silent for long."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rtgym_ros.train.errors import RefusedError
from rtgym_ros.train.policy.policy_file import write_atomically


class TrainerLease:
    """Who is the trainer. It is kept in a file, so that a server that starts again does not take another one.

    Args:
        path: of that file.
        timeout_s: after which silence another one may take over (s).
        monotonic: a clock (s).
    """

    def __init__(self, path: Path, timeout_s: float, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._monotonic = monotonic
        self._holder = path.read_text() if path.exists() else None
        self._heard = monotonic()

    @property
    def holder(self) -> str | None:
        """The trainer that holds the role; None where none was heard of in time."""
        return self._holder if self._monotonic() - self._heard <= self._timeout_s else None

    def check(self, trainer: str) -> None:
        """Refuse another trainer.

        Raises:
            RefusedError: there is one.
        """
        holder = self.holder
        if holder not in (None, trainer):
            silent = self._monotonic() - self._heard
            raise RefusedError(
                f"{holder} is the trainer, heard of {silent:.0f} s ago; {trainer} may take over when it has been "
                f"silent for {self._timeout_s:g} s",
                retry=True,
            )

    def take(self, trainer: str) -> None:
        """Give the role to ``trainer``, which :meth:`check` has let pass."""
        if trainer != self._holder:
            write_atomically(self._path, trainer.encode())
            self._holder = trainer
        self._heard = self._monotonic()
