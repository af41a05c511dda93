"""Files that several programs use: written whole or not at all, held by one program at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from rtgym_ros.core.errors import ConfigError


def write_atomically(path: Path, data: bytes, sync: bool = True, mode: int = 0o666) -> None:
    """Write a file so that a reader sees the old one or the new one, and a crash leaves one of them.

    Args:
        path: of the file.
        data: that it will hold.
        sync: whether it is on the medium afterwards, so that a power cut leaves one of them, too.
        mode: who may read it, from its first moment on; 0o600 for its owner alone.
    """
    temporary = path.with_name(f".{path.name}.new")  # one name: what a killed process has left is replaced
    temporary.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def locked(path: Path, refusal: str) -> Iterator[None]:
    """Hold a lock file while entered; the system releases it when the process ends, even by SIGKILL.

    Raises:
        ConfigError: another process holds it; its text is ``refusal``.
    """
    with path.open("wb") as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(refusal) from error
        yield
