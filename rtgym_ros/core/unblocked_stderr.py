"""Standard error that never holds up this process, whatever becomes of whoever reads it."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from threading import Thread
from types import TracebackType

_KEPT = 1 << 18
"""Bytes that wait for a reader who is slow; what comes beyond them is dropped."""

_AT_THE_END_S = 1.0
"""How long the end waits for what is still kept (s)."""


class UnblockedStderr:
    """While entered, what is written to file descriptor 2 goes through a thread, and is dropped where nobody takes it.

    A terminal that is stopped (Ctrl-S) and a pipe whose reader hangs hold up whoever writes to them. ROS's logger
    writes while it has the interpreter's lock, so that one line of the log stops every thread of the process, the one
    that sends the safe action too. The thread here passes on what the other side is ready for, keeps some of the rest,
    and says how much it dropped once the other side is ready again.

    For programs: descriptor 2 is the process's, and what it starts meanwhile inherits it.
    """

    def __enter__(self) -> UnblockedStderr:
        """Put a pipe in the place of standard error.

        Raises:
            OSError: there are no descriptors left.
        """
        sys.stderr.flush()
        self._real_fd = os.dup(2)
        read_fd, write_fd = os.pipe()
        os.set_blocking(write_fd, False)  # should the thread itself be held up, in the middle of a write
        os.dup2(write_fd, 2)
        os.close(write_fd)
        self._thread = Thread(target=self._pass_on, args=(read_fd,), name="unblocked stderr", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put standard error back; what is kept is passed on, if it is taken within a second."""
        with suppress(OSError):
            sys.stderr.flush()
        os.dup2(self._real_fd, 2)  # which closes the pipe: the thread comes to its end
        self._thread.join(_AT_THE_END_S)

    def _pass_on(self, read_fd: int) -> None:
        poll = select.poll()
        poll.register(read_fd, select.POLLIN)
        kept, dropped, is_open = bytearray(), 0, True
        while is_open or kept:
            if kept:
                poll.register(self._real_fd, select.POLLOUT)
            ready = dict(poll.poll())
            if self._real_fd in ready:
                with suppress(OSError):  # the other side is gone: nobody misses it
                    # A pipe that is ready takes so much at once.
                    os.write(self._real_fd, kept[: select.PIPE_BUF])
                del kept[: select.PIPE_BUF]
                if dropped and not kept:
                    kept += f"[{dropped} bytes were dropped here: nobody took them]\n".encode()
                    dropped = 0
                if not kept:
                    poll.unregister(self._real_fd)
            if read_fd in ready:
                data = os.read(read_fd, 1 << 16)
                if not data:
                    is_open = False
                    poll.unregister(read_fd)
                elif dropped or len(kept) + len(data) > _KEPT:
                    dropped += len(data)
                else:
                    kept += data
        os.close(read_fd)
        os.close(self._real_fd)
