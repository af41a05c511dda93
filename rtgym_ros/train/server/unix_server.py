"""Serves requests on a Unix socket: for one machine, for the trainer's relay, for tests."""

from __future__ import annotations

import logging
import socket
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.links.frames import receive_frame, send_frame

_PROBE_TIMEOUT_S = 1.0
_STOP_TIMEOUT_S = 10.0


class UnixServer:
    """Answers every client in a thread of its own, as long as it is open. Only this user may connect.

    Args:
        path: of the socket, shorter than 108 bytes; a file left by a killed process is replaced.
        handle: called with a request, from several threads; returns the reply.
        max_clients: at a time; one more is hung up on.

    Raises:
        ConfigError: somebody is listening there, the path is something else than a socket, or it is too long.
        OSError: the socket cannot be made.
    """

    def __init__(self, path: Path, handle: Callable[[bytes], bytes], max_clients: int = 64) -> None:
        self._path = path
        self._handle = handle
        self._max_clients = max_clients
        self._mutex = threading.Lock()
        self._clients: dict[socket.socket, threading.Thread] = {}
        self._closed = False
        self._listening = _listen(path)
        self._inode = path.stat().st_ino
        self._thread = threading.Thread(target=self._accept, name=f"rtgym_ros {path.name}")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up on every client, once its running request is done, and end; a second call does nothing."""
        with self._mutex:
            if self._closed:
                return
            self._closed = True
            clients = dict(self._clients)
        self._listening.shutdown(socket.SHUT_RDWR)  # wakes accept()
        for client in clients:
            _shut(client)
        for thread in (self._thread, *clients.values()):
            thread.join(_STOP_TIMEOUT_S)
        self._listening.close()
        with suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:  # nobody else has taken the place
                self._path.unlink()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                if self._closed:
                    return
                # Out of file descriptors, most likely: those who are connected go on, and free some.
                logging.getLogger(__name__).exception("%s: cannot accept a client", self._path)
                continue
            thread = threading.Thread(target=self._serve, args=(client,), name=f"rtgym_ros {self._path.name} client")
            with self._mutex:
                welcome = not self._closed and len(self._clients) < self._max_clients
                if welcome:
                    self._clients[client] = thread
                    thread.start()
            if not welcome:
                client.close()

    def _serve(self, client: socket.socket) -> None:
        try:
            while (request := receive_frame(client)) is not None:
                send_frame(client, self._handle(request))
        except (OSError, ProtocolError):
            pass  # the client is gone, or speaks something else: it will connect anew
        finally:
            with self._mutex:
                del self._clients[client]
            client.close()


def _listen(path: Path) -> socket.socket:
    if path.exists() or path.is_symlink():
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ConfigError(f"{path} is there and not a socket")
        if _is_served(path):
            raise ConfigError(f"{path}: somebody is listening there already")
        path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            listening.bind(str(path))
        except OSError as error:
            if "too long" in str(error):
                raise ConfigError(f"{path} is too long for a socket: 107 bytes at most") from error
            raise
        path.chmod(0o600)  # before listen(): nobody can have connected
        listening.listen(128)
    except BaseException:
        listening.close()
        raise
    return listening


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_TIMEOUT_S)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # too busy to answer
        return True


def _shut(client: socket.socket) -> None:
    """Wake whoever reads from or writes to it."""
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
