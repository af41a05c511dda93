"""Where keys, certificates and the token lie, and whether they are fit for use.

They are files of ``security.directory``, or PEM texts in the environment (:data:`CA_VARIABLE`,
:data:`CERTIFICATE_VARIABLE`, :data:`KEY_VARIABLE`, and Ray's own ``RAY_AUTH_TOKEN``) for zenoh and Ray's token. Ray's
TLS takes files only.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from rtgym_ros.train.config import SecurityConfig
from rtgym_ros.train.errors import CredentialsError

CA, SERVER, TRAINER, TOKEN = "ca", "server", "trainer", "ray.token"

CA_VARIABLE = "RTGYM_ROS_CA_CERTIFICATE"
CERTIFICATE_VARIABLE = "RTGYM_ROS_CERTIFICATE"
KEY_VARIABLE = "RTGYM_ROS_PRIVATE_KEY"
IDENTITY_VARIABLE = "RTGYM_ROS_IDENTITY"
"""Which certificate a worker uses where the directory holds several: ``worker-NAME``."""


@dataclass(frozen=True)
class Credentials:
    """A certificate with its key, and the authority that both sides trust (PEM)."""

    authority: str
    certificate: str
    key: str = field(repr=False)


def worker_identity(name: str) -> str:
    """Return the common name of a worker's certificate."""
    return f"worker-{name}"


def certificate_path(directory: Path, identity: str) -> Path:
    """Return where the certificate of ``identity`` lies."""
    return directory / f"{identity}.crt"


def key_path(directory: Path, identity: str) -> Path:
    """Return where the private key of ``identity`` lies."""
    return directory / f"{identity}.key"


def worker_identities(security: SecurityConfig) -> list[str]:
    """Return the common names of the workers whose certificates lie in the directory."""
    return sorted(path.stem for path in _directory(security).glob("worker-*.crt"))


def has_credentials(security: SecurityConfig, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the configuration or the environment names credentials, fit or not."""
    return security.directory is not None or KEY_VARIABLE in environment


def load_credentials(
    security: SecurityConfig, role: str, environment: Mapping[str, str] = os.environ, now: datetime | None = None
) -> Credentials:
    """Return what ``role`` shows to others.

    Args:
        security: of the configuration.
        role: ``"server"``, ``"trainer"`` or ``"worker"``.
        environment: where the texts may stand instead.
        now: the time by which certificates may have expired; None for the clock's.

    Raises:
        CredentialsError: something is missing, readable by others, or expired.
    """
    if KEY_VARIABLE in environment:
        names = (CA_VARIABLE, CERTIFICATE_VARIABLE, KEY_VARIABLE)
        missing = [name for name in names if not environment.get(name)]
        if missing:
            raise CredentialsError(f"{KEY_VARIABLE} is set, so {missing[0]} must be, too")
        texts = dict(zip(names, (environment[name] for name in names), strict=True))
        for name in (CA_VARIABLE, CERTIFICATE_VARIABLE):
            _check_dates(texts[name].encode(), name, now)
        return Credentials(*texts.values())
    authority, certificate, key = credential_files(security, role, environment, now)
    return Credentials(authority.read_text(), certificate.read_text(), key.read_text())


def credential_files(
    security: SecurityConfig, role: str, environment: Mapping[str, str] = os.environ, now: datetime | None = None
) -> tuple[Path, Path, Path]:
    """Return the files of the authority, the certificate and the key of ``role``, which are fit for use.

    Raises:
        CredentialsError: one is not.
    """
    directory = _directory(security)
    identity = _identity(security, role, environment)
    authority, certificate = certificate_path(directory, CA), certificate_path(directory, identity)
    key = key_path(directory, identity)
    check_private(key)
    for path in (authority, certificate):
        _check_dates(_read(path), str(path), now)
    return authority, certificate, key


def token_path(security: SecurityConfig) -> Path:
    """Return the file of Ray's token, which is fit for use.

    Raises:
        CredentialsError: it is missing or readable by others.
    """
    path = _directory(security) / TOKEN
    check_private(path)
    return path


def check_private(path: Path) -> None:
    """Raise unless ``path`` is a file for its owner alone.

    Raises:
        CredentialsError: it is not.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise CredentialsError(f"{path}: {error.strerror}; train_keys {path.parent} makes it") from error
    if mode & 0o077:
        raise CredentialsError(f"{path} has mode {mode:o}, so others may read it: chmod 600 {path}")


def _directory(security: SecurityConfig) -> Path:
    if security.directory is None:
        raise CredentialsError("security.directory is not set: train_keys DIRECTORY makes one")
    return Path(security.directory).expanduser()


def _identity(security: SecurityConfig, role: str, environment: Mapping[str, str]) -> str:
    if role != "worker":
        return role
    chosen = environment.get(IDENTITY_VARIABLE)
    if chosen:
        return chosen
    directory = _directory(security)
    keys = sorted(path.stem for path in directory.glob("worker-*.key"))
    if not keys:
        raise CredentialsError(f"{directory} has no worker-NAME.key: train_keys {directory} --worker NAME makes one")
    if len(keys) > 1:
        raise CredentialsError(f"{directory} has keys of {', '.join(keys)}: {IDENTITY_VARIABLE} must say which to use")
    return keys[0]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialsError(f"{path}: {error.strerror}; train_keys {path.parent} makes it") from error


def _check_dates(pem: bytes, where: str, now: datetime | None) -> None:
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise CredentialsError(f"{where} is not a certificate") from error
    now = datetime.now(timezone.utc) if now is None else now
    if now >= certificate.not_valid_after_utc:
        raise CredentialsError(f"{where} expired on {certificate.not_valid_after_utc:%Y-%m-%d}: train_keys --renew")
    if now < certificate.not_valid_before_utc:
        raise CredentialsError(f"{where} is not good before {certificate.not_valid_before_utc}: is the clock right?")
