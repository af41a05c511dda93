"""Ports of this machine."""

from __future__ import annotations

import errno
import socket

from rtgym_ros.core.errors import ConfigError


def free_port(host: str) -> int:
    """Return a port on which nobody listens now."""
    with socket.create_server((host, 0)) as listener:
        return int(listener.getsockname()[1])


def check_free(host: str, port: int, entry: str) -> None:
    """Refuse an address that somebody listens on.

    Raises:
        ConfigError: the address is in use, or not of this machine.
    """
    try:
        socket.create_server(
            (host.strip("[]"), port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        ).close()
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        reason = "another program listens there: another run?" if in_use else error.strerror
        raise ConfigError(f"{entry} {host}:{port}: {reason}") from error
