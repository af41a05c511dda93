"""The roles of a run as processes, what the system tells of them, and their end."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

ROOT = Path(__file__).resolve().parents[2]
_libc = ctypes.CDLL(None)
_TICKS = os.sysconf("SC_CLK_TCK")


class Roles:
    """Starts programs; ends all of them, and what they have started, when the block is left.

    Args:
        folder: for what they say, a file each.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: dict[str, subprocess.Popen] = {}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        below = {pid for process in self._started.values() for pid in descendants(process.pid)}
        try:
            for name in reversed(self._started):
                self.stop(name)
        finally:
            for pid in below | {process.pid for process in self._started.values() if process.poll() is None}:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def start(self, name: str, module: str, *arguments, nice: int = 0, **environment) -> int:
        """Start ``python -m MODULE ARGUMENTS``, ``nice`` steps behind this thread's priority; return its pid."""
        with (self._folder / f"{name}.log").open("ab") as log:
            self._started[name] = subprocess.Popen(
                [sys.executable, "-m", module, *map(str, arguments)],
                env={**os.environ, "PYTHONPATH": str(ROOT), **{key: str(value) for key, value in environment.items()}},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=lambda: (os.nice(nice), _libc.prctl(1, signal.SIGTERM, 0, 0, 0)),  # if we are killed
            )  # fmt: skip
        return self._started[name].pid

    def pid(self, name: str) -> int:
        return self._started[name].pid

    def ended(self, name: str) -> int | None:
        """Return the exit code of one that has ended."""
        return self._started[name].poll()

    def ended_or_never(self, name: str) -> bool:
        return name not in self._started or self._started[name].poll() is not None

    def find(self, text: str) -> list[int]:
        """Return the processes of all roles that have ``text`` in their command line or title."""
        found: dict[int, str] = {}
        for process in self._started.values():
            if process.poll() is None:
                found |= {process.pid: title(process.pid)} | descendants(process.pid)
        return sorted(pid for pid, line in found.items() if text in line)

    def everything(self) -> dict[int, str]:
        """Return every process of all roles, with its title."""
        return {pid: title(pid) for pid in self.find("")}

    def signal(self, name: str, number: int) -> None:
        self._started[name].send_signal(number)

    def stop(self, name: str, timeout_s: float = 60.0) -> int:
        """End a program in its own order; return its exit code."""
        process = self._started[name]
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def wait_for(condition: Callable[[], object], timeout_s: float, what: str, interval_s: float = 0.05):
    """Return what ``condition`` returns, once it is true."""
    deadline = monotonic() + timeout_s
    while not (result := condition()):
        if monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s:g} s: {what}")
        sleep(interval_s)
    return result


def free_port(host: str = "127.0.0.2") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def descendants(pid: int) -> dict[int, str]:
    """Return every process below ``pid`` that has not ended, with its title."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    parents[int(entry.name)] = int(parent)
    below, found = {pid}, set()
    while more := {child for child, parent in parents.items() if parent in below} - found:
        found |= more
        below = more
    return {child: title(child) for child in found}


def memory_mb(pid: int) -> tuple[float, float] | None:
    """Return resident memory and the part that is not files or shared (MB); None of a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.startswith(("VmRSS", "RssAnon"))}
    return (kilobytes["VmRSS"] / 1e3, kilobytes["RssAnon"] / 1e3) if len(kilobytes) == 2 else None


def cpu_s(pid: int) -> float:
    """Return how long a process has been running on a CPU so far (s); 0 of one that ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS
