"""``train_server``: a nats-server for the samples and weights of a run, configured, watched, started again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.command_line import config_of, config_parser
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import CredentialsError
from rtgym_ros.train.files import locked, write_atomically
from rtgym_ros.train.local.ports import check_free, free_port
from rtgym_ros.train.security.credentials import (
    CA,
    SERVER,
    certificate_path,
    credential_files,
    make_token,
    security_directory,
)
from rtgym_ros.train.security.keys import SERVER_FILE, access_by_certificate
from rtgym_ros.train.server.binary import find_nats_server
from rtgym_ros.train.server.health import is_healthy
from rtgym_ros.train.server.nats_configuration import is_loopback, nats_configuration, open_access, token_access
from rtgym_ros.train.stream.connection import token_file
from rtgym_ros.train.supervision.supervisor import REFUSED, Child, Supervisor

_MEMORY = "512MiB"
"""From here on the server's runtime returns memory rather than time (a variable of Go's; yours goes before)."""
_STOP_TIMEOUT_S = 20.0
_LONGEST_PAUSE_S = 1.0
"""It starts in a tenth of a second, and everybody waits for it."""
_START_TIMEOUT_S = 60.0
"""A large store is read when a server starts (s)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``train_server`` until SIGINT or SIGTERM; return its exit code."""
    options = config_parser("train_server", __doc__).parse_args(arguments)
    try:
        config = config_of(options)
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
    """Return the nats-server of a run as a process to supervise, inside :func:`server_folder`.

    Its configuration is written.

    Raises:
        ConfigError: nats-server is not installed, or its address is not possible or open to everybody.
        CredentialsError: credentials are missing or not fit for use.
    """
    program = find_nats_server()
    host, _, port = config.server.listen.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"server.listen must be HOST:PORT, got {config.server.listen!r}")
    security = config.security
    if security.directory is None and not security.insecure and not is_loopback(host):
        raise ConfigError(
            f"server.listen {config.server.listen} is reached from elsewhere: set security.directory to the folder "
            "that train_keys made (or security.insecure, where nobody else is on the network)"
        )
    check_free(host, int(port), "server.listen")
    folder = _folder(config)
    health_port = free_port("127.0.0.1")
    path = folder / SERVER_FILE
    write = partial(_write_configuration, config, folder, path, health_port)
    write()
    watched: tuple[Path, ...] = ()
    if security.directory is not None:
        directory = security_directory(security)
        watched = (directory, certificate_path(directory, CA), certificate_path(directory, SERVER))
    return Child(
        "nats-server",
        [program, "-c", str(path)],
        environment={"GOMEMLIMIT": os.environ.get("GOMEMLIMIT", _MEMORY)},
        is_healthy=partial(is_healthy, health_port),
        heartbeat_timeout_s=_START_TIMEOUT_S,
        watched=watched,
        prepare_reload=write,
        longest_pause_s=_LONGEST_PAUSE_S,
    )


def _folder(config: TrainConfig) -> Path:
    return config.folder.absolute() / "server"


def _write_configuration(config: TrainConfig, folder: Path, path: Path, health_port: int) -> None:
    security = config.security
    if security.directory is not None:
        credential_files(security, SERVER)
        access = access_by_certificate(security_directory(security).absolute())
    elif security.insecure:
        access = open_access()
    else:
        access = token_access(make_token(token_file(config)))
    text = nats_configuration(config.server, access, folder / "jetstream", health_port, folder / "nats-server.log")
    write_atomically(path, text.encode(), mode=0o600)


if __name__ == "__main__":
    sys.exit(main())
