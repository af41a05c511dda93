"""One connection to the NATS server, with the credentials as they are now. A lost one is replaced, not repaired."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import CertificateDateError, LinkError, OutOfStepError
from rtgym_ros.train.security.credentials import WORKER_PREFIX, credential_files, read_token, token_file
from rtgym_ros.train.stream.names import direct_get_subject, inbox_prefix

_CONNECT_S = 5.0
_PING_S = 5.0
_PINGS = 2  # a peer that answers no ping for about 10 s is gone: a cable that was pulled closes no connection
PATIENCE_S = 5.0
"""For an answer."""
_WRONG_LAST_SEQUENCE = 10071
_PAUSES_S = (0.1, 1.0)  # after the first failure, and at most; doubled in between (s)


class Connection:
    """An open connection of nats-py's ``client``."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.lost = asyncio.Event()
        """Set when the connection is gone."""
        self.said = ""
        """By the server, last and without being asked: that something is not permitted, for example."""

    async def request(
        self,
        subject: str,
        payload: bytes | memoryview,
        timeout_s: float = PATIENCE_S,
        headers: dict[str, str] | None = None,
    ) -> Msg:
        """Return the reply to a request.

        Raises:
            LinkError: none came; the message has what the server said meanwhile.
        """
        self.said = ""
        try:
            return await self.client.request(subject, payload, timeout=timeout_s, headers=headers)  # type: ignore[arg-type]
        except (NatsError, asyncio.TimeoutError, OSError) as error:
            raise LinkError(self.said or f"no answer on {subject}: {error or type(error).__name__}") from error

    async def append(self, subject: str, payload: bytes | memoryview, headers: dict[str, str] | None = None) -> int:
        """Append a message to the stream of its subject; return its position once the server has stored it.

        Raises:
            OutOfStepError: another message came in between, where ``headers`` name the one that is expected.
            LinkError: no acknowledgement came, so that it may or may not be in the stream; or the server refuses, for
                now.
        """
        reply = await self.request(subject, payload, headers=headers)
        try:
            answer = json.loads(reply.data)
            refusal = answer.get("error")
            if refusal is None:
                return int(answer["seq"])
        except (ValueError, KeyError, AttributeError) as error:
            raise LinkError(f"{subject}: not an acknowledgement of a stream") from error
        description = refusal.get("description", "refused")
        if refusal.get("err_code") == _WRONG_LAST_SEQUENCE:
            raise OutOfStepError(description)
        raise LinkError(description)

    async def get(
        self, stream: str, subject: str = "", request: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, str], bytes] | None:
        """Return headers and payload of the last message on ``subject``; None where there is none.

        In place of a subject, a ``request`` of NATS ADR-31 may describe it, for example ``{"seq": 5}``. Position and
        subject are among the headers (``Nats-Sequence``, ``Nats-Subject``).

        Raises:
            LinkError: the server does not answer, or there is no such stream.
        """
        where = direct_get_subject(stream, subject)
        reply = await self.request(where, json.dumps(request).encode() if request else b"")
        headers = dict(reply.headers or {})
        if "Nats-Sequence" in headers:
            return headers, reply.data
        if headers.get("Status") != "404":
            raise LinkError(f"{where}: {headers.get('Description', 'no message came')}")
        return None


@asynccontextmanager
async def connected(config: TrainConfig, role: str, name: str = "") -> AsyncIterator[Connection]:
    """Connect while entered, as ``"worker"`` (of that name), ``"trainer"`` or ``"viewer"``.

    Raises:
        LinkError: nobody listens, or the server does not let this peer in; it may be tried again.
        CredentialsError: credentials are missing or readable by others.
    """
    connection, urls = Connection(Client()), config.url(role)

    async def on_closed() -> None:
        connection.lost.set()

    async def on_error(error: Exception) -> None:
        connection.said = str(error) or type(error).__name__

    try:
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
        except (NatsError, OSError, asyncio.TimeoutError, CertificateDateError) as error:
            raise LinkError(f"{', '.join(urls)}: {_reason(error, connection.said)}") from error
        yield connection
    finally:
        # nats-py asserts in close() where a connection never came to be.
        with suppress(NatsError, OSError, asyncio.TimeoutError, AssertionError):
            await asyncio.wait_for(connection.client.close(), _CONNECT_S)


def _credentials(config: TrainConfig, role: str, name: str) -> dict[str, Any]:
    """Return nats-py's arguments; the same rules as those of the server's configuration."""
    keys = config.security.folder
    if keys is not None:
        identity = WORKER_PREFIX + name if role == "worker" else role
        authority, certificate, key = credential_files(keys, identity)
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=authority)
        context.load_cert_chain(certificate, key)
        return {"tls": context, "inbox_prefix": inbox_prefix(identity)}
    options: dict[str, Any] = {"inbox_prefix": inbox_prefix(name or role)}
    if not config.security.insecure:
        options["token"] = read_token(token_file(config))
    return options


def _reason(error: BaseException, said: str) -> str:
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    text = str(error) or type(error).__name__
    return f"{text}; {said}" if said and said not in text else text


class Outage:
    """Decides how long to pause between attempts to connect; logs a line when that takes longer than a start does.

    ``now_s`` is a monotonic clock (s); nothing is logged for ``patience_s`` (s).
    """

    def __init__(self, log: logging.Logger, now_s: Callable[[], float] = monotonic, patience_s: float = 10.0) -> None:
        self._log, self._now_s, self._patience_s = log, now_s, patience_s
        self._since_s: float | None = None
        self._is_logged, self._failures = False, 0

    def failed(self, line: str) -> float:
        """Note an attempt that failed, and why; return how long to pause before the next (s)."""
        if self._since_s is None:
            self._since_s = self._now_s()
        if not self._is_logged and self._now_s() - self._since_s >= self._patience_s:
            self._is_logged = True
            self._log.warning("%s; trying again", line)
        self._failures += 1
        return float(min(_PAUSES_S[0] * 2 ** min(self._failures - 1, 10), _PAUSES_S[1]))

    def worked(self) -> None:
        """Note an attempt that did not fail."""
        if self._is_logged:
            self._log.warning("the server answers again")
        self._since_s, self._is_logged, self._failures = None, False, 0
