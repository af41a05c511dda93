"""A link over zenoh: one outbound connection, TCP or TLS, and neither Ray nor its version on the robot."""

from __future__ import annotations

from contextlib import suppress

import zenoh

from rtgym_ros.train.config import SecurityConfig
from rtgym_ros.train.errors import LinkError
from rtgym_ros.train.links.address import Address
from rtgym_ros.train.links.link import Link
from rtgym_ros.train.links.zenoh_settings import make_zenoh_config, query_key
from rtgym_ros.train.security.credentials import load_credentials


class ZenohLink(Link):
    """Asks the gateway; nobody need be there yet. After an error the next call connects anew.

    Args:
        target: where the gateway listens.
        run: name of the run.
        role: ``"worker"`` or ``"trainer"``.
        security: where the certificate lies.

    Raises:
        CredentialsError: the certificate is not fit for use.
    """

    def __init__(self, target: Address, run: str, role: str, security: SecurityConfig) -> None:
        self._endpoint = f"{target.kind}/{target.host_port}"
        self._key = query_key(run, role)
        self._credentials = load_credentials(security, role) if target.kind == "tls" else None
        self._session: zenoh.Session | None = None
        self._closed = False

    def call(self, request: bytes, timeout_s: float) -> bytes:
        """Return the server's reply to ``request``; see :class:`Link`."""
        if self._closed:
            raise LinkError(f"the link to {self._endpoint} is closed")
        try:
            if self._session is None or self._session.is_closed():
                self._session = self._open(timeout_s)
            for reply in self._session.get(self._key, payload=request, timeout=timeout_s):
                if reply.ok is not None:
                    answer: bytes = reply.ok.payload.to_bytes()
                    return answer
        except zenoh.ZError as error:
            self._hang_up()
            raise LinkError(f"{self._endpoint}: {str(error).partition(' at /')[0]}") from error
        except BaseException:  # interrupted
            self._hang_up()
            raise
        self._hang_up()
        raise LinkError(f"{self._endpoint}: no answer at {self._key}; the server ended, or does not let us in")

    def close(self) -> None:
        """Close the session; a second call does nothing."""
        self._closed = True
        self._hang_up()

    def _open(self, timeout_s: float) -> zenoh.Session:
        settings = {
            "connect/endpoints": [self._endpoint],
            "connect/timeout_ms": max(int(timeout_s * 1000), 1),
            "connect/exit_on_failure": True,
        }
        return zenoh.open(make_zenoh_config("client", self._credentials, "connect", settings))

    def _hang_up(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(zenoh.ZError):  # it was lost already
                session.close()
