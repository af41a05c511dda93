"""The configuration of nats-server: who may do what, and how what is acknowledged gets on the disk."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from rtgym_ros.train.config import ServerConfig
from rtgym_ros.train.stream.names import SCHEMA, WEIGHTS, inbox_prefix

TRAINER, VIEWER = "trainer", "viewer"
WORKER_PREFIX = "worker-"


def nats_configuration(
    server: ServerConfig, access: str, store: Path, health_port: int | None = None, log_file: Path | None = None
) -> str:
    """Return the text of a configuration file.

    Args:
        server: where it listens, and what it keeps.
        access: what :func:`token_access`, :func:`certificate_access` or :func:`open_access` returned.
        store: folder of its data.
        health_port: of its monitoring page, on 127.0.0.1; None for none.
        log_file: that it writes, bounded; None for stderr.
    """
    lines = [
        f"listen: {_quoted(server.listen)}",
        f"max_payload: {server.max_payload}",
        f"max_pending: {max(64_000_000, 4 * server.max_payload)}",
        'write_deadline: "10s"',
        f"jetstream {{ store_dir: {_quoted(str(store))}, sync_interval: {server.sync_interval} }}",
    ]
    if health_port is not None:
        lines.append(f'http: "127.0.0.1:{health_port}"')
    if log_file is not None:
        lines.append(f"log_file: {_quoted(str(log_file))}, logfile_size_limit: 10000000, logfile_max_num: 2")
    lines += [access, *(f"include {_quoted(str(Path(name).expanduser().absolute()))}" for name in server.include)]
    return "# Written by rtgym_ros; the next start writes it again.\n" + "\n".join(lines) + "\n"


def token_access(token: str) -> str:
    """Return the section for this machine alone: whoever knows the token may do everything."""
    return f"authorization {{ token: {_quoted(token)} }}"


def open_access() -> str:
    """Return the section for ``security.insecure``: nobody is asked."""
    return "# security.insecure: everybody may do everything"


def certificate_access(authority: Path, certificate: Path, key: Path, robots: Iterable[str]) -> str:
    """Return the sections for mutual TLS: the name in a peer's certificate says who it is, and so what it may do.

    Args:
        authority: whose certificates are let in.
        certificate: of the server.
        key: of the server.
        robots: their names; ``worker-NAME`` is the name in the certificate.
    """
    users = [_learner(), _viewer(), *(_robot(name) for name in sorted(robots))]
    return (
        f"tls {{ cert_file: {_quoted(str(certificate))}, key_file: {_quoted(str(key))}, "
        f"ca_file: {_quoted(str(authority))}, verify_and_map: true, timeout: 5 }}\n"
        f"authorization {{ users: [\n{''.join(f'  {user}{chr(10)}' for user in users)}] }}"
    )


def _robot(name: str) -> str:
    """A robot publishes its samples and its schema, and reads the run's weights and schema. Nothing else."""
    keys = [f"$JS.API.DIRECT.GET.*.$KV.*.{key}" for key in (WEIGHTS, SCHEMA)]
    objects = ["$JS.API.STREAM.INFO.*", "$JS.API.DIRECT.GET.*.$O.*.M.*", "$JS.API.CONSUMER.CREATE.*.*.$O.*.C.*"]
    publish = [
        f"samples.*.{name}",
        f"$JS.API.DIRECT.GET.*.samples.*.{name}",
        f"$KV.*.{SCHEMA}.{name}",
        *keys,
        *objects,
    ]
    identity = WORKER_PREFIX + name
    return _user(identity, publish, [f"{inbox_prefix(identity)}.>", f"$KV.*.{WEIGHTS}"])


def _learner() -> str:
    """A learner reads everything and makes the streams; samples are the robots' alone."""
    return _user(TRAINER, ["$JS.API.>", "$KV.>", "$O.>"], [f"{inbox_prefix(TRAINER)}.>", "$KV.>"])


def _viewer() -> str:
    publish = ["$JS.API.STREAM.INFO.*", "$JS.API.DIRECT.GET.>", "$JS.API.CONSUMER.CREATE.>"]
    return _user(VIEWER, publish, [f"{inbox_prefix(VIEWER)}.>", "$KV.>"])


def _user(name: str, publish: Sequence[str], subscribe: Sequence[str]) -> str:
    permissions = {"publish": {"allow": list(publish)}, "subscribe": {"allow": list(subscribe)}}
    return f"{{ user: {_quoted(name)}, permissions: {json.dumps(permissions)} }}"


def _quoted(text: str) -> str:
    return json.dumps(text)


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is this machine and nobody else can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
