"""A simulated robot beside a worker that flies without a supervisor."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.locate import locate_program
from rtgym_ros.train.supervision.child_process import Child, ChildProcess

_STOP_TIMEOUT_S = 5.0


@contextmanager
def running_robot(command: Sequence[str]) -> Iterator[None]:
    """Run ``worker.robot`` while entered; nothing where the robot runs by itself. In the main thread.

    Raises:
        ConfigError: the command cannot be started.
    """
    if not command:
        yield
        return
    process = ChildProcess(Child("robot", locate_program(command)), monotonic())
    try:
        process.start_if_due(monotonic())
    except OSError as error:
        raise ConfigError(f"worker.robot {' '.join(command)!r} cannot be started: {error.strerror}") from error
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        if not process.wait(_STOP_TIMEOUT_S):
            process.send_signal(signal.SIGKILL)
        process.reap(monotonic())
