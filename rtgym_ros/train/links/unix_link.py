"""A link to a server, or to a relay, on the same machine."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

from rtgym_ros.train.errors import LinkError, ProtocolError
from rtgym_ros.train.links.frames import receive_frame, send_frame
from rtgym_ros.train.links.link import Link


class UnixLink(Link):
    """Speaks to a :class:`~rtgym_ros.train.server.unix_server.UnixServer`; nobody need be there yet.

    After an error the next call connects anew: the answer to an earlier request is never taken for its own.

    Args:
        path: of the socket.
        monotonic: a clock (s).
    """

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._stream: socket.socket | None = None
        self._deadline = 0.0
        self._closed = False

    def call(self, request: bytes, timeout_s: float) -> bytes:
        """Return the server's reply to ``request``; see :class:`Link`."""
        if self._closed:
            raise LinkError(f"the link to {self._path} is closed")
        self._deadline = self._monotonic() + timeout_s
        try:
            if self._stream is None:
                self._connect()
            assert self._stream is not None
            send_frame(self._stream, request, self._wait)
            reply = receive_frame(self._stream, self._wait)
        except TimeoutError as error:
            self._hang_up()
            raise LinkError(f"{self._path}: no answer within {timeout_s:g} s") from error
        except (OSError, ProtocolError) as error:
            self._hang_up()
            raise LinkError(f"{self._path}: {getattr(error, 'strerror', None) or error}") from error
        except BaseException:  # interrupted: the answer may still come
            self._hang_up()
            raise
        if reply is None:
            self._hang_up()
            raise LinkError(f"{self._path}: the server ended the connection")
        return reply

    def close(self) -> None:
        """Close the socket; a second call does nothing."""
        self._closed = True
        self._hang_up()

    def _connect(self) -> None:
        self._stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._wait()
        self._stream.connect(str(self._path))

    def _wait(self) -> None:
        """Let the next operation on the socket take what is left of the call's time."""
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise TimeoutError
        if self._stream is not None:
            self._stream.settimeout(left)

    def _hang_up(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
