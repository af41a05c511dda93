"""Addresses of the server, as they stand in a configuration."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

from rtgym_ros.core.errors import ConfigError

_HOST_PORT = r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(?P<port>[0-9]{1,5})"
_FORMS = {
    "ray_client": re.compile(f"ray://{_HOST_PORT}"),
    "ray": re.compile(f"ray:{_HOST_PORT}"),
    "tls": re.compile(f"zenoh:tls/{_HOST_PORT}"),
    "tcp": re.compile(f"zenoh:tcp/{_HOST_PORT}"),
    "unix": re.compile(r"unix:(?P<path>.+)"),
}


@dataclass(frozen=True)
class Address:
    """Where the server is.

    Attributes:
        kind: ``"tls"`` and ``"tcp"`` are zenoh's.
        host: name or address; empty for ``unix``.
        port: 0 for ``unix``.
        path: of the socket; empty for all others.
    """

    kind: Literal["ray_client", "ray", "tls", "tcp", "unix"]
    host: str = ""
    port: int = 0
    path: str = ""

    @property
    def host_port(self) -> str:
        """``HOST:PORT``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether it does not leave this machine."""
        return self.kind == "unix" or is_loopback(self.host)


def parse_address(text: str, entry: str = "server") -> Address:
    """Return the address that ``text`` is.

    Args:
        text: ``"ray:HOST:PORT"``, ``"ray://HOST:PORT"``, ``"zenoh:tls/HOST:PORT"``, ``"zenoh:tcp/HOST:PORT"`` or
            ``"unix:PATH"``.
        entry: of the configuration, for the error.

    Raises:
        ConfigError: it is none.
    """
    for kind, form in _FORMS.items():
        match = form.fullmatch(text)
        if match is None:
            continue
        if kind == "unix":
            return Address("unix", path=match["path"])
        if 0 < int(match["port"]) < 65536:
            return Address(kind, match["host"].strip("[]"), int(match["port"]))  # type: ignore[arg-type]
    raise ConfigError(
        f"{entry} must be ray:HOST:PORT, ray://HOST:PORT, zenoh:tls/HOST:PORT, zenoh:tcp/HOST:PORT or unix:PATH, "
        f"got {text!r}"
    )


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is this machine and nobody else can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
