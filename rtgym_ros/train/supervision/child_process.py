"""One supervised process, from one start to the next."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rtgym_ros.core.errors import RtgymError
from rtgym_ros.train.supervision.heartbeat import FileWatch

UNHEALTHY_S = 5.0
"""For so long (s) the check of a process may fail, once it has succeeded."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
LONG_LIFE_S = 30.0
"""Whoever lived that long did not die of how it was started: the pause is short again."""
_LOOK_S = 2.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)  # loaded here: between fork and exec there is little that one may do


@dataclass(frozen=True)
class Child:
    """A process to keep running.

    Attributes:
        name: for messages.
        command: program and arguments.
        environment: added to this process's.
        ends_run: when it ends with code 0, everything ends.
        heartbeat: a file that it touches; when it is silent for longer than the timeout it is killed and started again.
        heartbeat_timeout_s: that timeout (s), from its start on too.
        is_healthy: a check that must not fail for :data:`UNHEALTHY_S` (from its start: for the heartbeat's timeout).
        watched: files and folders; when they change, the process gets SIGHUP.
        prepare_reload: called before that; if it raises, nothing is sent.
        longest_pause_s: before it is started again (s), when it keeps dying young.
        death_signal: what the system sends it when the supervisor dies. SIGTERM is for one that has a robot to stop,
            and that is sure to end then.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    ends_run: bool = False
    heartbeat: Path | None = None
    heartbeat_timeout_s: float = 30.0
    is_healthy: Callable[[], bool] | None = None
    watched: tuple[Path, ...] = ()
    prepare_reload: Callable[[], None] | None = None
    longest_pause_s: float = LONGEST_PAUSE_S
    death_signal: int = signal.SIGKILL


class ChildProcess:
    """Starts, watches and ends the process of a :class:`Child`. Only for the main thread.

    Args:
        child: what to run.
        now_s: when it is to be started for the first time (s, monotonic).
    """

    def __init__(self, child: Child, now_s: float) -> None:
        self.child = child
        self.timeout_s = UNHEALTHY_S if child.is_healthy else child.heartbeat_timeout_s
        self._start_s = self._started_s = now_s
        self._pause_s = FIRST_PAUSE_S
        self._process: subprocess.Popen[bytes] | None = None
        self._pidfd = -1
        self._is_healthy: Callable[[], bool] | None = None
        self._healthy_s = 0.0
        self._files = FileWatch(*child.watched) if child.watched else None

    @property
    def is_running(self) -> bool:
        """Whether there is a process, ended perhaps and not yet reaped."""
        return self._process is not None

    def fileno(self) -> int:
        """Return what becomes readable when the process ends."""
        return self._pidfd

    def next_look_s(self, now_s: float) -> float:
        """Return in how long there is something to do (s), whatever the process does."""
        if self._process is None:
            return max(self._start_s - now_s, 0.0)
        if self.child.is_healthy or self._files:
            return _LOOK_S
        return float("inf") if self._is_healthy is None else self.timeout_s / 4

    def start_if_due(self, now_s: float) -> None:
        """Start the process if there is none and its pause is over.

        Raises:
            OSError: it cannot be started.
        """
        if self._process is not None or now_s < self._start_s:
            return
        child = self.child
        self._process = subprocess.Popen(
            list(child.command),
            env={**os.environ, **(child.environment or {})},
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the supervisor, which has an order to keep
            preexec_fn=_die_with_parent(child.death_signal),
        )
        self._pidfd = os.pidfd_open(self._process.pid)
        self._started_s = self._healthy_s = now_s
        self._is_healthy = child.is_healthy
        if child.is_healthy is not None:
            self._healthy_s += child.heartbeat_timeout_s
        elif child.heartbeat is not None:
            self._is_healthy = FileWatch(child.heartbeat).has_changed

    def is_silent(self, now_s: float) -> bool:
        """Whether it has not touched its heartbeat, or failed its check, for too long; look often."""
        if self._is_healthy is not None and self._is_healthy():
            self._healthy_s = now_s
        return self._is_healthy is not None and now_s - self._healthy_s > self.timeout_s

    def reload_if_changed(self) -> str | None:
        """Let the process read its files again if they have changed; return what went wrong, if something did."""
        if self._process is None or self._files is None or not self._files.has_changed():
            return None
        try:
            if self.child.prepare_reload is not None:
                self.child.prepare_reload()
        except (RtgymError, OSError) as error:
            return str(error)
        self._process.send_signal(signal.SIGHUP)
        return None

    def reap(self, now_s: float) -> int:
        """Return the exit code of the process (minus the signal that killed it), and plan the next start."""
        assert self._process is not None
        code = self._process.wait()
        os.close(self._pidfd)
        self._process, self._is_healthy, self._pidfd = None, None, -1
        if now_s - self._started_s >= LONG_LIFE_S:
            self._pause_s = FIRST_PAUSE_S
        self._start_s, self._pause_s = now_s + self._pause_s, min(2 * self._pause_s, self.child.longest_pause_s)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal to the process; one that has ended does not mind."""
        if self._process is not None:
            self._process.send_signal(number)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the process to end; return whether it did."""
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))


def _die_with_parent(number: int) -> Callable[[], None]:
    """Return what the new process does first: ask the system for a signal when its parent dies."""
    parent = os.getpid()

    def prepare() -> None:
        if _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(1)

    return prepare
