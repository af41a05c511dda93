"""Starting the process that writes, from any program, and saying how it ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from rtgym_ros.record.nameless_file import nameless_file

_PROGRAM = """\
import json, signal, sys
for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP: signal.signal(number, signal.SIG_IGN)
sys.path[:] = json.loads(sys.argv.pop())
from rtgym_ros.record.writer_process import main
main()
"""


class WriterHandle:
    """A writer that was started; its process is a new one, not a copy of this one, whatever threads this one has.

    It is in a session of its own: what a terminal sends to the group of processes (Ctrl-C) does not reach it.

    Args:
        fd: of the memory that it shares.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, fd: int) -> None:
        path = json.dumps([entry or os.getcwd() for entry in sys.path if isinstance(entry, str)])
        self._complaints = nameless_file()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(fd), str(os.getpid()), path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                pass_fds=(fd,),
                start_new_session=True,
            )
        except BaseException:
            self._complaints.close()
            raise

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def wait(self, timeout: float) -> bool:
        """Wait for its end, and return whether it has come.

        Args:
            timeout: (s).
        """
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def how_it_ended(self) -> str:
        """Return what is known of an end that nobody asked for, '' where it ended as it should."""
        code = self._process.poll()
        if not code:
            return ""
        if code < 0:
            return f"the writer was killed by signal {-code}"
        if self._complaints.closed:
            return f"the writer has ended: exit code {code}"
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return f"the writer has ended: {lines[-1] if lines else f'exit code {code}'}"

    def close(self) -> None:
        """Close what is open here."""
        self._complaints.close()
