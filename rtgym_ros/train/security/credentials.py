"""Where keys, certificates and the token lie, and whether they are fit for use.

They are files of ``security.directory``. A program reads them anew whenever it connects, so that rotated ones are used.
"""

from __future__ import annotations

import secrets
import stat
from datetime import datetime, timezone
from pathlib import Path

from rtgym_ros.core.files import write_atomically
from rtgym_ros.train.config import SecurityConfig, TrainConfig
from rtgym_ros.train.errors import CertificateDateError, CredentialsError

CA, SERVER, TRAINER, VIEWER = "ca", "server", "trainer", "viewer"
WORKER_PREFIX = "worker-"


def key_pair(directory: Path, identity: str) -> tuple[Path, Path]:
    """Return where the certificate and the private key of ``identity`` lie."""
    return directory / f"{identity}.crt", directory / f"{identity}.key"


def robot_names(directory: Path, ending: str = "crt") -> list[str]:
    """Return the names of the workers whose certificates, or keys (``"key"``), lie in the directory."""
    return sorted(path.stem.removeprefix(WORKER_PREFIX) for path in directory.glob(f"{WORKER_PREFIX}*.{ending}"))


def robot_name(security: SecurityConfig, name: str) -> str:
    """Return the name under which a worker may publish: ``name``, or that of the one certificate that it has.

    Raises:
        CredentialsError: there is none, there are several and no name, or ``name`` is another one.
    """
    directory = security.folder
    if directory is None:
        return name
    names = robot_names(directory, "key")
    if not names:
        raise CredentialsError(f"{directory} has no worker-NAME.key: train_keys {directory} --worker NAME makes one")
    if not name and len(names) > 1:
        raise CredentialsError(f"{directory} has keys of {', '.join(names)}: --name must say which to use")
    if name not in ("", *names):
        certified = ", ".join(map(repr, names))
        raise CredentialsError(
            f"--name is {name!r}, and the certificate here is of {certified}: it may not speak for others"
        )
    return name or names[0]


def credential_files(directory: Path, identity: str) -> tuple[Path, Path, Path]:
    """Return the files of the authority, the certificate and the key of ``identity``, which are fit for use.

    Raises:
        CertificateDateError: a certificate has expired or is not yet valid.
        CredentialsError: something is missing, or readable by others.
    """
    authority, (certificate, key) = key_pair(directory, CA)[0], key_pair(directory, identity)
    _read(key, private=True)
    for path in (authority, certificate):
        _check_dates(_read(path), str(path))
    return authority, certificate, key


def token_file(config: TrainConfig) -> Path:
    """Return the file with the token of a server on this machine."""
    chosen = config.security.token_file
    return config.folder / "server" / "token" if chosen is None else Path(chosen).expanduser()


def read_token(path: Path) -> str:
    """Return the token in a file that is for its owner alone.

    Raises:
        CredentialsError: it is readable by others.
        OSError: it is not there (yet).
    """
    if not path.exists():
        raise FileNotFoundError(2, "the server has not made its token yet", str(path))
    return _read(path, private=True).decode().strip()


def make_token(path: Path) -> str:
    """Return the token in a file, which is made where there is none."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, secrets.token_hex(32).encode(), mode=0o600)
    return read_token(path)


def _read(path: Path, private: bool = False) -> bytes:
    """Return what a file holds; one that is ``private`` has to be for its owner alone."""
    try:
        mode, content = stat.S_IMODE(path.stat().st_mode), path.read_bytes()
    except OSError as error:
        raise CredentialsError(f"{path}: {error.strerror}; train_keys {path.parent} makes it") from error
    if private and mode & 0o077:
        raise CredentialsError(f"{path} has mode {mode:o}, so others may read it: chmod 600 {path}")
    return content


def _check_dates(pem: bytes, where: str) -> None:
    """Tell what is wrong with the dates, where cryptography is installed; a robot may be without it: TLS tells, too."""
    try:
        from cryptography import x509
    except ImportError:
        return
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise CredentialsError(f"{where} is not a certificate") from error
    now = datetime.now(timezone.utc)
    if now >= certificate.not_valid_after_utc:
        raise CertificateDateError(f"{where} expired on {certificate.not_valid_after_utc:%Y-%m-%d}: train_keys --renew")
    if now < certificate.not_valid_before_utc:
        raise CertificateDateError(
            f"{where} is not good before {certificate.not_valid_before_utc}: is the clock right?"
        )
