"""Where keys, certificates and the token lie, and whether they are fit for use.

They are files of ``security.directory``. A program reads them anew whenever it connects, so that rotated ones are used.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from rtgym_ros.train.config import SecurityConfig
from rtgym_ros.train.errors import CertificateDateError, CredentialsError
from rtgym_ros.train.files import write_atomically
from rtgym_ros.train.server.nats_configuration import TRAINER, VIEWER, WORKER_PREFIX

CA, SERVER = "ca", "server"
IDENTITY_VARIABLE = "RTGYM_ROS_IDENTITY"
"""Which certificate a worker uses where the directory holds several: ``worker-NAME``."""


def worker_identity(name: str) -> str:
    """Return the common name of a worker's certificate."""
    return WORKER_PREFIX + name


def certificate_path(directory: Path, identity: str) -> Path:
    """Return where the certificate of ``identity`` lies."""
    return directory / f"{identity}.crt"


def key_path(directory: Path, identity: str) -> Path:
    """Return where the private key of ``identity`` lies."""
    return directory / f"{identity}.key"


def robot_names(directory: Path) -> list[str]:
    """Return the names of the workers whose certificates lie in the directory."""
    return sorted(path.stem.removeprefix(WORKER_PREFIX) for path in directory.glob(f"{WORKER_PREFIX}*.crt"))


def identity_of(security: SecurityConfig, role: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the name in the certificate that ``role`` shows.

    Raises:
        CredentialsError: it is a worker, and there is no key of one, or several.
    """
    if role != "worker":
        return role
    chosen = environment.get(IDENTITY_VARIABLE)
    if chosen:
        return chosen
    directory = security_directory(security)
    keys = sorted(path.stem for path in directory.glob(f"{WORKER_PREFIX}*.key"))
    if not keys:
        raise CredentialsError(f"{directory} has no worker-NAME.key: train_keys {directory} --worker NAME makes one")
    if len(keys) > 1:
        raise CredentialsError(f"{directory} has keys of {', '.join(keys)}: {IDENTITY_VARIABLE} must say which to use")
    return keys[0]


def robot_name(security: SecurityConfig, name: str) -> str:
    """Return the name under which a worker may publish: that in its certificate, where it has one.

    Raises:
        CredentialsError: ``name`` is another one.
    """
    if security.directory is None:
        return name
    certified = identity_of(security, "worker").removeprefix(WORKER_PREFIX)
    if name not in ("", certified):
        raise CredentialsError(
            f"--name is {name!r}, and the certificate here is of {certified!r}: it may not speak for others"
        )
    return certified


def credential_files(
    security: SecurityConfig, role: str, environment: Mapping[str, str] = os.environ, now: datetime | None = None
) -> tuple[Path, Path, Path]:
    """Return the files of the authority, the certificate and the key of ``role``, which are fit for use.

    Args:
        security: of the configuration.
        role: ``"server"``, ``"trainer"``, ``"viewer"`` or ``"worker"``.
        environment: where a worker's identity may be chosen.
        now: the time by which certificates may have expired; None for the clock's.

    Raises:
        CertificateDateError: a certificate has expired or is not yet valid.
        CredentialsError: something is missing, or readable by others.
    """
    directory = security_directory(security)
    identity = identity_of(security, role, environment)
    authority, certificate = certificate_path(directory, CA), certificate_path(directory, identity)
    key = key_path(directory, identity)
    check_private(key)
    for path in (authority, certificate):
        _check_dates(_read(path), str(path), now)
    return authority, certificate, key


def read_token(path: Path) -> str:
    """Return the token in a file that is for its owner alone.

    Raises:
        CredentialsError: it is readable by others.
        OSError: it is not there (yet).
    """
    if not path.exists():
        raise FileNotFoundError(2, "the server has not made its token yet", str(path))
    check_private(path)
    return path.read_text().strip()


def make_token(path: Path) -> str:
    """Return the token in a file, which is made where there is none."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, secrets.token_hex(32).encode(), mode=0o600)
    return read_token(path)


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


def security_directory(security: SecurityConfig) -> Path:
    """Return the folder of keys and certificates.

    Raises:
        CredentialsError: the configuration names none.
    """
    if security.directory is None:
        raise CredentialsError("security.directory is not set: train_keys DIRECTORY makes one")
    return Path(security.directory).expanduser()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialsError(f"{path}: {error.strerror}; train_keys {path.parent} makes it") from error


def _check_dates(pem: bytes, where: str, now: datetime | None) -> None:
    """Tell what is wrong with the dates, where cryptography is installed; a robot may be without it: TLS tells, too."""
    try:
        from cryptography import x509
    except ImportError:
        return
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise CredentialsError(f"{where} is not a certificate") from error
    now = datetime.now(timezone.utc) if now is None else now
    if now >= certificate.not_valid_after_utc:
        raise CertificateDateError(f"{where} expired on {certificate.not_valid_after_utc:%Y-%m-%d}: train_keys --renew")
    if now < certificate.not_valid_before_utc:
        raise CertificateDateError(
            f"{where} is not good before {certificate.not_valid_before_utc}: is the clock right?"
        )


__all__ = ["CA", "IDENTITY_VARIABLE", "SERVER", "TRAINER", "VIEWER", "certificate_path", "check_private",
           "credential_files", "identity_of", "key_path", "make_token", "read_token", "robot_name", "robot_names",
           "security_directory", "worker_identity"]  # fmt: skip
