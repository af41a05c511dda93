"""A link by its address."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.config import SecurityConfig
from rtgym_ros.train.links.address import Address, parse_address
from rtgym_ros.train.links.link import Link
from rtgym_ros.train.security.credentials import has_credentials


def open_link(address: str, run: str, role: Literal["worker", "trainer"], security: SecurityConfig) -> Link:
    """Return a link to the server of ``run``; nobody need be there yet.

    Args:
        address: of the server, see :func:`~rtgym_ros.train.links.address.parse_address`.
        run: its name.
        role: as whom to speak: it decides which certificate is shown, and which requests are let through.
        security: where the credentials lie.

    Raises:
        ConfigError: ``address`` is none, or leads beyond this machine without credentials.
        CredentialsError: the credentials are not fit for use.
    """
    target = parse_address(address)
    check_security(target, address, security)
    if target.kind == "unix":
        from rtgym_ros.train.links.unix_link import UnixLink

        return UnixLink(Path(target.path).expanduser())
    package = "ray" if target.kind in ("ray", "ray_client") else "zenoh"
    if find_spec(package) is None:
        raise ConfigError(f"{address} needs the package {package}: pip install 'rtgym_ros[train]'")
    if package == "ray":
        from rtgym_ros.train.links.ray_link import RayLink

        return RayLink(target, run, role, security)
    from rtgym_ros.train.links.zenoh_link import ZenohLink

    return ZenohLink(target, run, role, security)


def check_security(target: Address, text: str, security: SecurityConfig) -> None:
    """Raise unless ``target`` is on this machine, or has credentials, or ``security.insecure`` is set.

    Args:
        target: to connect to, or to listen on.
        text: how the configuration calls it, for the error.
        security: of the configuration.

    Raises:
        ConfigError: it is none of these.
    """
    if target.is_local or security.insecure:
        return
    if target.kind == "tcp":
        raise ConfigError(
            f"{text} is open to everybody: use zenoh:tls/ and security.directory (train_keys makes one), or set "
            "security.insecure where nobody else is on the network"
        )
    if not has_credentials(security):
        raise ConfigError(
            f"{text} is beyond this machine: set security.directory (train_keys makes one), or security.insecure where "
            "nobody else is on the network"
        )
