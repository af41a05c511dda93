"""The configuration of nats-server: who may do what, and how what is acknowledged gets on the disk."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rtgym_ros.train.stream.names import SCHEMA, WEIGHTS, inbox_prefix

TRAINER, VIEWER = "trainer", "viewer"
WORKER_PREFIX = "worker-"


@dataclass(frozen=True)
class Listening:
    """What one server is.

    Attributes:
        address: ``HOST:PORT`` on which it listens.
        store: folder of its data.
        sync_interval: ``"always"``, or a time such as ``"10s"``: how long acknowledged data may not be on the medium.
        max_payload: bytes of one message.
        health_port: of its monitoring page, on 127.0.0.1; None for none.
        log_file: that it writes, bounded; None for stderr.
        includes: files with more of its configuration, for example a cluster's or leaf nodes'.
    """

    address: str
    store: Path
    sync_interval: str = "always"
    max_payload: int = 8_000_000
    health_port: int | None = None
    log_file: Path | None = None
    includes: Sequence[Path] = ()


def nats_configuration(listening: Listening, access: str) -> str:
    """Return the text of a configuration file.

    Args:
        listening: what the server is.
        access: what :func:`token_access`, :func:`certificate_access` or :func:`open_access` returned.
    """
    lines = [
        f"listen: {_quoted(listening.address)}",
        f"max_payload: {listening.max_payload}",
        f"max_pending: {max(64_000_000, 4 * listening.max_payload)}",
        'write_deadline: "10s"',
        f"jetstream {{ store_dir: {_quoted(str(listening.store))}, sync_interval: {listening.sync_interval} }}",
    ]
    if listening.health_port is not None:
        lines.append(f'http: "127.0.0.1:{listening.health_port}"')
    if listening.log_file is not None:
        lines.append(f"log_file: {_quoted(str(listening.log_file))}, logfile_size_limit: 10000000, logfile_max_num: 2")
    lines += [access, *(f"include {_quoted(str(path))}" for path in listening.includes)]
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
