"""Keeps the processes of a role running, and ends them in order."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from rtgym_ros.core.errors import RtgymError
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.train.stream.event_loop import stop_event
from rtgym_ros.train.supervision.heartbeat import FileWatch, HealthWatch

REFUSED = 2
"""Exit code of a process that it is no use to start again: a wrong configuration, or the server refuses for good."""
UNHEALTHY_S = 5.0  # for so long (s) the check of a process may fail, once it has succeeded
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
LONG_LIFE_S = 30.0  # whoever lived that long did not die of how it was started
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


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class Supervisor:
    """Starts its children in order, starts them again when they die, and stops them in reverse order.

    A child that ends with code 2 ends the run, with that code; any other end is followed by a new start after a pause
    that grows from 0.5 s to the child's longest and is short again after 30 s of life. No child outlives the
    supervisor.

    Args:
        children: what to run.
        stop_timeout_s: how long each child may take to end after SIGTERM (s); then it is killed.
        say: gets one line whenever a child has to be started again.
    """

    def __init__(
        self, children: Sequence[Child], stop_timeout_s: float = 20.0, say: Callable[[str], None] = _to_stderr
    ) -> None:
        self._children, self._stop_timeout_s, self._say = children, stop_timeout_s, say
        self._running: dict[str, Process] = {}

    def run(self) -> int:
        """Run until SIGINT, SIGTERM, or a child ends it all; to be called in the main thread, once.

        Returns:
            0, or 2 if a child ended with 2.
        """
        with StopSignal() as stop:
            return asyncio.run(self._run(stop))

    async def _run(self, stop: StopSignal) -> int:
        asked = asyncio.ensure_future(stop_event(stop).wait())
        kept = [asyncio.ensure_future(self._keep(child)) for child in self._children]
        try:
            await asyncio.wait([asked, *kept], return_when=asyncio.FIRST_COMPLETED)
            for task in kept:
                task.cancel()
            await asyncio.wait(kept)
            codes = [task.result() for task in kept if not task.cancelled()]
            return max([*codes, *[await self._stop(child) for child in reversed(self._children)]])
        finally:
            for process in self._running.values():  # only after an error of ours
                _signal(process, signal.SIGKILL)

    async def _keep(self, child: Child) -> int:
        """Run a child again and again; return 0 or 2 when it ends everything."""
        pause_s, files = 0.0, FileWatch(*child.watched)
        while True:
            started_s = monotonic()
            try:
                process = await asyncio.create_subprocess_exec(
                    *child.command,
                    env={**os.environ, **(child.environment or {})},
                    stdin=DEVNULL,
                    start_new_session=True,  # Ctrl-C is for the supervisor, which has an order to keep
                    preexec_fn=die_with_parent(child.death_signal),
                )
            except OSError as error:
                self._say(f"{child.name} cannot be started: {error}")
                return REFUSED
            self._running[child.name] = process
            code = await self._watched(child, process, files)
            del self._running[child.name]
            if code == REFUSED or (code == 0 and child.ends_run):
                return code
            pause_s = next_pause(pause_s, monotonic() - started_s, child.longest_pause_s)
            how = f"code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
            self._say(f"{child.name} ended ({how}): starts again in {pause_s:.1f} s")
            await asyncio.sleep(pause_s)

    async def _watched(self, child: Child, process: Process, files: FileWatch) -> int:
        """Return the code with which a process ends; until then, kill it when it is silent, and let it reload."""
        watch, timeout_s, look_s = None, child.heartbeat_timeout_s, _LOOK_S if child.watched else None
        if child.is_healthy is not None:
            watch, look_s = HealthWatch(child.is_healthy, monotonic() + timeout_s), _LOOK_S
            timeout_s = UNHEALTHY_S
        elif child.heartbeat is not None:
            watch, look_s = HealthWatch(FileWatch(child.heartbeat).has_changed, monotonic()), timeout_s / 4
        ended = asyncio.ensure_future(process.wait())
        while not (await asyncio.wait([ended], timeout=look_s))[0]:
            if watch is not None and watch.silent_for(monotonic()) > timeout_s:
                self._say(f"{child.name} is silent for {timeout_s:g} s: killed")
                _signal(process, signal.SIGKILL)
            if child.watched and files.has_changed():
                try:
                    if child.prepare_reload is not None:
                        child.prepare_reload()
                    _signal(process, signal.SIGHUP)
                except (RtgymError, OSError) as error:
                    self._say(f"{child.name} goes on with what it has: {error}")
        return ended.result()

    async def _stop(self, child: Child) -> int:
        """End a child, and return 2 if that is its code, else 0."""
        process = self._running.pop(child.name, None)
        if process is None:
            return 0
        _signal(process, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), self._stop_timeout_s)
        except asyncio.TimeoutError:
            self._say(f"{child.name} has not ended for {self._stop_timeout_s:g} s: killed")
            _signal(process, signal.SIGKILL)
        return REFUSED if await process.wait() == REFUSED else 0


def _signal(process: Process, number: int) -> None:
    # Not by asyncio's own methods: before Python 3.13 they may take the exit code away from whoever waits for it.
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


def next_pause(before_s: float, life_s: float, longest_s: float) -> float:
    """Return the pause after a process that lived so long: twice the one before (0 at first) if it died young (s)."""
    return min(2 * before_s, longest_s) if before_s and life_s < LONG_LIFE_S else FIRST_PAUSE_S


def die_with_parent(number: int) -> Callable[[], None]:
    """Return what a new process does first (``preexec_fn``): ask the system for a signal when its parent dies."""
    parent = os.getpid()

    def prepare() -> None:
        if _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(1)

    return prepare
