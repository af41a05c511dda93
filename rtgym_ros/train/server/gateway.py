"""The gateway: a process with a zenoh router that answers workers and the trainer for the server."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import zenoh

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.command_line import config_of, config_parser
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import CredentialsError, ProtocolError
from rtgym_ros.train.links.address import parse_address
from rtgym_ros.train.links.forwarder import Forwarder, refused
from rtgym_ros.train.links.open_link import check_security
from rtgym_ros.train.links.ray_link import RayLink
from rtgym_ros.train.links.stop_wait import StopWait
from rtgym_ros.train.links.zenoh_settings import make_zenoh_config, query_key
from rtgym_ros.train.security.credentials import has_credentials, load_credentials, worker_identities
from rtgym_ros.train.server.gateway_access import access_control
from rtgym_ros.train.server.ray_actor import server_folder
from rtgym_ros.train.server.ray_head import head_address
from rtgym_ros.train.server.roles import refusal
from rtgym_ros.train.server.server import Server
from rtgym_ros.train.supervision.heartbeat import beat

_THREADS = 4
_MAX_WAITING = 64
_BEAT_INTERVAL_S = 1.0
_TIMEOUT_S = 8.0
_PATIENCE_S = 15.0


class Gateway:
    """Answers zenoh queries of both roles.

    Args:
        config: of the run.
        handle: the server's, or what forwards to it; called from several threads.

    Raises:
        ConfigError: an endpoint is not possible, or open to everybody.
        CredentialsError: the certificates are not fit for use.
    """

    def __init__(self, config: TrainConfig, handle: Callable[[bytes], bytes]) -> None:
        self._handle = handle
        # zenoh's own threads must not wait, and what waits here must stay bounded.
        self._room = threading.BoundedSemaphore(_MAX_WAITING)
        self._pool = ThreadPoolExecutor(_THREADS, "rtgym_ros gateway")
        try:
            self._session = zenoh.open(gateway_config(config))
        except zenoh.ZError as error:
            self._pool.shutdown()
            raise ConfigError(f"server.zenoh {', '.join(config.server.zenoh)}: {error}") from error
        for role in ("worker", "trainer"):
            self._declare(query_key(config.run, role), role)

    def close(self) -> None:
        """Answer what has come in, and end."""
        self._pool.shutdown(cancel_futures=True)
        self._session.close()

    def _declare(self, key: str, role: str) -> None:
        def answer(query: zenoh.Query, request: bytes) -> None:
            try:
                with query:
                    query.reply(key, refusal(role, request) or self._handle(request))
            except zenoh.ZError:
                pass  # who asked is gone
            finally:
                self._room.release()

        def on_query(query: zenoh.Query) -> None:
            if str(query.key_expr) != key or query.payload is None:
                query.drop()
            elif self._room.acquire(blocking=False):
                try:
                    self._pool.submit(answer, query, query.payload.to_bytes())
                except RuntimeError:  # the pool is ending
                    self._room.release()
                    query.drop()
            else:
                with query:
                    query.reply(key, refused("too many requests wait for the server"))

        self._session.declare_queryable(key, on_query)


def gateway_config(config: TrainConfig) -> zenoh.Config:
    """Return the router's configuration.

    Raises:
        ConfigError: an endpoint is not possible, or open to everybody.
        CredentialsError: the certificates are not fit for use.
    """
    endpoints = [
        parse_address(f"zenoh:{endpoint}", "server.zenoh, after 'zenoh:',") for endpoint in config.server.zenoh
    ]
    for target, text in zip(endpoints, config.server.zenoh, strict=True):
        check_security(target, f"server.zenoh {text}", config.security)
    tls = any(target.kind == "tls" for target in endpoints)
    settings = {
        "listen/endpoints": list(config.server.zenoh),
        "listen/exit_on_failure": True,
        "access_control": access_control(
            config.run,
            worker_identities(config.security) if has_credentials(config.security) else (),
            plain=any(target.kind == "tcp" for target in endpoints),
        ),
    }
    credentials = load_credentials(config.security, "server") if tls else None
    return make_zenoh_config("router", credentials, "listen", settings)


def serve(config: TrainConfig, arguments: argparse.Namespace) -> None:
    """Answer until SIGTERM."""
    server: Server | None = None
    forwarder: Forwarder | None = None
    with StopWait(_PATIENCE_S) as stop:
        if config.server.ray is None:
            server = Server(server_folder(config), config.server, config.run)
            handle = server.handle
        else:
            forwarder = Forwarder(RayLink(head_address(config), config.run, "server", config.security), _TIMEOUT_S)
            handle = forwarder.handle
        gateway = Gateway(config, handle)
        while not stop.wait(_BEAT_INTERVAL_S):
            if arguments.heartbeat is not None and (forwarder is None or not forwarder.is_stuck):
                beat(arguments.heartbeat)
        gateway.close()
        if server is not None:
            server.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the gateway; return its exit code."""
    parser = config_parser("gateway", "Let workers and the trainer in over zenoh.")
    arguments = parser.parse_args(argv)
    try:
        serve(config_of(arguments), arguments)
    except (ConfigError, CredentialsError, ProtocolError) as error:
        sys.stderr.write(f"gateway: {error}\n")
        return 1 if isinstance(error, ProtocolError) else 2
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # a thread may hang in Ray
