"""Keeps the processes of a role running, and ends them in order."""

from __future__ import annotations

import select
import signal
import sys
from collections.abc import Callable, Sequence
from time import monotonic

from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.train.supervision.child_process import Child, ChildProcess

__all__ = ["REFUSED", "Child", "Supervisor"]

REFUSED = 2
"""Exit code of a process that it is no use to start again: a wrong configuration, or the server refuses for good."""


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
        now_s = monotonic()
        self._processes = [ChildProcess(child, now_s) for child in children]
        self._stop_timeout_s = stop_timeout_s
        self._say = say

    def run(self) -> int:
        """Run until SIGINT, SIGTERM, or a child ends it all; to be called in the main thread, once.

        Returns:
            0, or 2 if a child ended with 2.
        """
        with StopSignal() as stop:
            try:
                return self._stop(self._supervise(stop))
            finally:
                for process in self._processes:  # only after an error of ours
                    process.send_signal(signal.SIGKILL)

    def _supervise(self, stop: StopSignal) -> int:
        while not stop.is_set:
            now_s = monotonic()
            for process in self._processes:
                if not self._start(process, now_s):
                    return REFUSED
                if process.is_silent(now_s):
                    self._say(f"{process.child.name} is silent for {process.timeout_s:g} s: killed")
                    process.send_signal(signal.SIGKILL)
                problem = process.reload_if_changed()
                if problem is not None:
                    self._say(f"{process.child.name} goes on with what it has: {problem}")
            ended = self._wait(stop, now_s)
            codes = [(process.child, process.reap(monotonic()), process) for process in ended]
            if any(code == REFUSED for _, code, _ in codes):
                return REFUSED
            if any(code == 0 and child.ends_run for child, code, _ in codes):
                return 0
            if stop.is_set:
                break
            for child, code, process in codes:
                pause_s = process.next_look_s(monotonic())
                self._say(f"{child.name} ended ({_describe(code)}): starts again in {pause_s:.1f} s")
        return 0

    def _start(self, process: ChildProcess, now_s: float) -> bool:
        try:
            process.start_if_due(now_s)
        except OSError as error:
            self._say(f"{process.child.name} cannot be started: {error}")
            return False
        return True

    def _wait(self, stop: StopSignal, now_s: float) -> list[ChildProcess]:
        """Sleep until something happens or is due; return whose process has ended."""
        poll = select.poll()
        poll.register(stop, select.POLLIN)
        by_fd = {process.fileno(): process for process in self._processes if process.is_running}
        for fd in by_fd:
            poll.register(fd, select.POLLIN)
        timeout_s = min((process.next_look_s(now_s) for process in self._processes), default=float("inf"))
        # Rounded up: a timeout that is a little short would make the loop spin.
        ready = poll.poll(None if timeout_s == float("inf") else int(timeout_s * 1000) + 1)
        stop.clear_wake_up()
        return [by_fd[fd] for fd, _ in ready if fd in by_fd]

    def _stop(self, code: int) -> int:
        """End what runs, the last child first; return the exit code of it all."""
        for process in reversed(self._processes):
            if not process.is_running:
                continue
            process.send_signal(signal.SIGTERM)
            if not process.wait(self._stop_timeout_s):
                self._say(f"{process.child.name} has not ended for {self._stop_timeout_s:g} s: killed")
                process.send_signal(signal.SIGKILL)
            if process.reap(monotonic()) == REFUSED:
                code = REFUSED
        return code


def _describe(code: int) -> str:
    return f"code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
