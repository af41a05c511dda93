"""How processes of Ray know each other: a token always, mutual TLS beyond this machine.

Ray listens on every interface of a machine, whatever address it is given, so a token is needed on the loopback, too.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from rtgym_ros.train.config import SecurityConfig
from rtgym_ros.train.links.address import is_loopback
from rtgym_ros.train.security.credentials import TOKEN, check_private, credential_files, token_path


def ray_environment(
    host: str, security: SecurityConfig, role: str, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return what must be in a process's environment before it imports Ray.

    Args:
        host: of the head.
        security: of the configuration.
        role: ``"server"``, ``"trainer"`` or ``"worker"``.
        environment: that it is to be added to.

    Raises:
        CredentialsError: credentials are missing or not fit for use.
    """
    found = {
        "RAY_ENABLE_AUTO_CONNECT": "0",  # else a lost Ray Client quietly begins a cluster of its own
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_task_events_report_interval_ms": "0",  # the head would keep a record of every request
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # no warning about it
    }
    if security.directory is None and security.insecure and not is_loopback(host):
        return found | {"RAY_AUTH_MODE": environment.get("RAY_AUTH_MODE", "disabled")}
    found["RAY_AUTH_MODE"] = "token"
    if not environment.get("RAY_AUTH_TOKEN"):
        local = security.directory is None and is_loopback(host)
        found["RAY_AUTH_TOKEN_PATH"] = str(_local_token(environment) if local else token_path(security))
    if not is_loopback(host):
        authority, certificate, key = credential_files(security, role, environment)
        found |= {
            "RAY_USE_TLS": "1",
            "RAY_TLS_CA_CERT": str(authority),
            "RAY_TLS_SERVER_CERT": str(certificate),
            "RAY_TLS_SERVER_KEY": str(key),
        }
    return found


def _local_token(environment: Mapping[str, str]) -> Path:
    """Return the file of this user's token on this machine; it is made where there is none."""
    home = environment.get("XDG_STATE_HOME") or Path(environment.get("HOME") or Path.home()) / ".local" / "state"
    path = Path(home) / "rtgym_ros" / TOKEN
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_name(f".{TOKEN}.{os.getpid()}")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(temporary, path)  # the first one stays, if two come at the same time
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    check_private(path)
    return path
