"""Files that several programs use: written whole or not at all, held by one program at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rtgym_ros.core.errors import ConfigError


def write_atomically(path: Path, data: bytes, sync: bool = True, mode: int | None = None) -> None:
    """Write a file so that a reader sees the old one or the new one, and a crash leaves one of them.

    Args:
        path: of the file.
        data: that it will hold.
        sync: whether it is on the medium afterwards, so that a power cut leaves one of them, too.
        mode: who may read it, from its first moment on: 0o600 for its owner alone; None for what the umask says.
    """
    temporary = path.with_name(f".{path.name}.new")  # one name: what a killed process has left is replaced
    temporary.unlink(missing_ok=True)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(temporary, flags, 0o666 if mode is None else mode), "wb") as file:
            if mode is not None:
                os.chmod(temporary, mode)  # more than the umask allows
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

    Its folder is made where there is none.

    Raises:
        ConfigError: another process holds it; its text is ``refusal``.
    """
    from fcntl import LOCK_EX, LOCK_NB, flock  # not on every platform

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(refusal) from error
        yield
