"""The configuration of nats-server: who may do what, and how what is acknowledged gets on the disk."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from pathlib import Path

from rtgym_ros.train.config import ServerConfig
from rtgym_ros.train.security.credentials import CA, SERVER, TRAINER, VIEWER, WORKER_PREFIX, key_pair, robot_names
from rtgym_ros.train.stream.names import SCHEMA, WEIGHTS, inbox_prefix

SERVER_FILE = "nats-server.conf"


def nats_configuration(
    server: ServerConfig, access: str, store: Path, health_port: int | None = None, log_file: Path | None = None
) -> str:
    """Return the text of a configuration file.

    ``access`` is the section that says who may do what, ``store`` the folder of its data, ``health_port`` that of its
    monitoring page on 127.0.0.1. Without a log file it writes to stderr.
    """
    lines = [
        f"listen: {json.dumps(server.listen)}",
        f"max_payload: {server.max_payload}",
        f"max_pending: {max(64_000_000, 4 * server.max_payload)}",
        'write_deadline: "10s"',
        f"jetstream {{ store_dir: {json.dumps(str(store))}, sync_interval: {server.sync_interval} }}",
    ]
    if health_port is not None:
        lines.append(f'http: "127.0.0.1:{health_port}"')
    if log_file is not None:
        lines.append(f"log_file: {json.dumps(str(log_file))}, logfile_size_limit: 10000000, logfile_max_num: 2")
    lines += [access, *(f"include {json.dumps(str(Path(name).expanduser().absolute()))}" for name in server.include)]
    return "# Written by rtgym_ros; the next start writes it again.\n" + "\n".join(lines) + "\n"


def certificate_access(directory: Path) -> str:
    """Return the sections for mutual TLS: the name in a peer's certificate says who it is, and so what it may do.

    Only the certificates of ``directory`` are let in.
    """
    authority, (certificate, key) = key_pair(directory, CA)[0], key_pair(directory, SERVER)
    files = {"cert_file": certificate, "key_file": key, "ca_file": authority}
    tls = ", ".join(f"{entry}: {json.dumps(str(path))}" for entry, path in files.items())
    users = [_learner(), _viewer(), *map(_robot, robot_names(directory))]
    return (
        f"tls {{ {tls}, verify_and_map: true, timeout: 5 }}\n"
        f"authorization {{ users: [\n{''.join(f'  {user}{chr(10)}' for user in users)}] }}"
    )


def _robot(name: str) -> str:
    """A robot publishes its samples and its schema, and reads the run's weights and schema. Nothing else."""
    keys = [f"$JS.API.DIRECT.GET.*.$KV.*.{key}" for key in (WEIGHTS, SCHEMA)]
    objects = ["$JS.API.STREAM.INFO.*", "$JS.API.DIRECT.GET.*.$O.*.M.*", "$JS.API.CONSUMER.CREATE.*.*.$O.*.C.*"]
    own = [f"samples.*.{name}", f"$JS.API.DIRECT.GET.*.samples.*.{name}", f"$KV.*.{SCHEMA}.{name}"]
    return _user(WORKER_PREFIX + name, [*own, *keys, *objects], f"$KV.*.{WEIGHTS}")


def _learner() -> str:
    """A learner reads everything and makes the streams; samples are the robots' alone."""
    return _user(TRAINER, ["$JS.API.>", "$KV.>", "$O.>"], "$KV.>")


def _viewer() -> str:
    return _user(VIEWER, ["$JS.API.STREAM.INFO.*", "$JS.API.DIRECT.GET.>", "$JS.API.CONSUMER.CREATE.>"], "$KV.>")


def _user(name: str, publish: Sequence[str], subscribe: str) -> str:
    permissions = {"publish": {"allow": publish}, "subscribe": {"allow": [f"{inbox_prefix(name)}.>", subscribe]}}
    return f"{{ user: {json.dumps(name)}, permissions: {json.dumps(permissions)} }}"


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is this machine and nobody else can reach it."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
