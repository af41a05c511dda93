"""One connection to the NATS server, with the credentials as they are now. A lost one is replaced, not repaired."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import CertificateDateError, LinkError
from rtgym_ros.train.security.credentials import credential_files, identity_of, read_token
from rtgym_ros.train.stream.names import inbox_prefix

_CONNECT_S = 5.0
_PING_S = 5.0
_PINGS = 2
"""A peer that answers no ping for about 10 s is gone: a cable that was pulled closes no connection."""


class Connection:
    """An open connection.

    Attributes:
        client: of nats-py.
        lost: set when the connection is gone.
        said: what the server said last without being asked, for example that something is not permitted.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.lost = asyncio.Event()
        self.said = ""

    async def request(
        self, subject: str, payload: bytes, timeout_s: float, headers: dict[str, str] | None = None
    ) -> Any:
        """Return the reply to a request.

        Raises:
            LinkError: none came; the message has what the server said meanwhile.
        """
        self.said = ""
        try:
            return await self.client.request(subject, payload, timeout=timeout_s, headers=headers)
        except (NatsError, asyncio.TimeoutError, OSError) as error:
            raise LinkError(self.said or f"no answer on {subject}: {error or type(error).__name__}") from error


@asynccontextmanager
async def connected(urls: tuple[str, ...], config: TrainConfig, role: str, name: str = "") -> AsyncIterator[Connection]:
    """Connect while entered.

    Args:
        urls: of the servers of one cluster.
        config: of the run; its credentials are read anew, so that rotated ones are used.
        role: ``"worker"``, ``"trainer"`` or ``"viewer"``.
        name: of the robot, for a worker.

    Raises:
        LinkError: nobody listens, or the server does not let this peer in; it may be tried again.
        CredentialsError: credentials are missing or readable by others.
    """
    connection = Connection(Client())

    async def on_closed() -> None:
        connection.lost.set()

    async def on_error(error: Exception) -> None:
        connection.said = str(error) or type(error).__name__

    where = ", ".join(urls)
    try:
        await connection.client.connect(
            list(urls),
            **_credentials(config, role, name),
            name=f"{config.run} {role} {name}".strip(),
            allow_reconnect=False,
            connect_timeout=_CONNECT_S,  # type: ignore[arg-type]  # seconds, any number
            max_reconnect_attempts=1,  # nats-py tries 60 times before connect() fails: who waits is ours to say
            reconnect_time_wait=0,
            ping_interval=_PING_S,  # type: ignore[arg-type]
            max_outstanding_pings=_PINGS,
            error_cb=on_error,
            closed_cb=on_closed,
            disconnected_cb=on_closed,
        )
    except (NatsError, OSError, ssl.SSLError, asyncio.TimeoutError, CertificateDateError) as error:
        await _close(connection.client)
        raise LinkError(f"{where}: {_reason(error, connection.said)}") from error
    except asyncio.CancelledError:
        await _close(connection.client)
        raise
    try:
        yield connection
    finally:
        await _close(connection.client)


def _credentials(config: TrainConfig, role: str, name: str) -> dict[str, Any]:
    """Return nats-py's arguments; the same rules as those of the server's configuration."""
    security = config.security
    if security.directory is not None:
        authority, certificate, key = credential_files(security, role)
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=authority)
        context.load_cert_chain(certificate, key)
        return {"tls": context, "inbox_prefix": inbox_prefix(identity_of(security, role))}
    options: dict[str, Any] = {"inbox_prefix": inbox_prefix(name or role)}
    if not security.insecure:
        options["token"] = read_token(token_file(config))
    return options


def token_file(config: TrainConfig) -> Path:
    """Return the file with the token of a server on this machine."""
    if config.security.token_file is not None:
        return Path(config.security.token_file).expanduser()
    return config.folder / "server" / "token"


async def _close(client: Client) -> None:
    # nats-py asserts in close() where a connection never came to be.
    with suppress(NatsError, OSError, asyncio.TimeoutError, AssertionError):
        await asyncio.wait_for(client.close(), _CONNECT_S)


def _reason(error: BaseException, said: str) -> str:
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    text = str(error) or type(error).__name__
    return f"{text}; {said}" if said and said not in text else text


__all__ = ["Connection", "connected", "token_file"]
