"""``train_keys``: makes the certificates of a run, and the configuration of a server that lets them in."""

from __future__ import annotations

import ipaddress
import re
import secrets
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.files import write_atomically
from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.train.config import ServerConfig
from rtgym_ros.train.errors import CredentialsError
from rtgym_ros.train.security.credentials import CA, SERVER, TRAINER, VIEWER, WORKER_PREFIX, key_pair
from rtgym_ros.train.server.nats_configuration import SERVER_FILE, certificate_access, nats_configuration

Issuer = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]

_WORKER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,50}")  # a common name has room for 64
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "127.0.0.2", "::1")
_CLOCK_SKEW = timedelta(hours=1)  # a robot's clock may be behind


def make_keys(
    directory: Path, workers: Sequence[str] = (), hosts: Sequence[str] = (), days: int = 365, renew: bool = False
) -> list[Path]:
    """Make what is missing: authority, server, trainer, viewer, a certificate per worker, the server's configuration.

    Args:
        directory: where to; made for its owner alone.
        workers: names, for the common names ``worker-NAME``.
        hosts: names and addresses of the machines that run server and trainer, besides this machine's loopback.
        days: for which the certificates are good; the authority for ten times as many.
        renew: make the certificates of server, trainer, viewer and ``workers`` again. The authority stays: to revoke
            everything, begin with an empty directory; to shut one robot out, delete its certificate and run this again.

    Returns:
        The files that were written.

    Raises:
        ConfigError: a name is not possible.
        CredentialsError: the directory holds a certificate without its key, or the other way round.
    """
    for worker in workers:
        if not _WORKER_NAME.fullmatch(worker):
            raise ConfigError(f"--worker must be up to 51 letters, digits, '_' and '-', got {worker!r}")
    if days < 1:
        raise ConfigError(f"--days must be at least 1, got {days}")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    written: list[Path] = []
    if not _complete(directory, CA):
        written += _issue(directory, CA, None, (), 10 * days)
    issuer = _authority(directory)
    for identity in (SERVER, TRAINER, VIEWER, *(WORKER_PREFIX + worker for worker in workers)):
        if renew or not _complete(directory, identity):
            written += _issue(directory, identity, issuer, (*_LOCAL_HOSTS, *hosts) if identity == SERVER else (), days)
    place = directory.absolute()
    server = nats_configuration(ServerConfig(listen="0.0.0.0:4222"), certificate_access(place), place / "jetstream")
    write_atomically(directory / SERVER_FILE, server.encode(), mode=0o600)
    return [*written, directory / SERVER_FILE]


def _authority(directory: Path) -> Issuer:
    certificate, path = key_pair(directory, CA)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CredentialsError(f"{path} is not a key that train_keys made")
    return x509.load_pem_x509_certificate(certificate.read_bytes()), key


def _complete(directory: Path, identity: str) -> bool:
    there, missing = sorted(key_pair(directory, identity), key=Path.exists, reverse=True)
    if there.exists() and not missing.exists():
        raise CredentialsError(f"{there} is there without {missing.name}: put that back, or remove both")
    return there.exists()


def _issue(directory: Path, identity: str, issuer: Issuer | None, hosts: Sequence[str], days: int) -> list[Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    # An authority's name is its own: two of them are never taken for each other.
    common_name = identity if issuer else f"rtgym_ros {secrets.token_hex(4)}"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    signer_name, signer_key = (issuer[0].subject, issuer[1]) if issuer else (name, key)
    now = datetime.now(timezone.utc)
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only"), False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(signer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None if issuer else 0), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=not issuer, crl_sign=not issuer, **usage), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer_key.public_key()), critical=False)
    )
    if issuer:
        # Servers of a cluster connect to each other, too; everybody else only ever connects.
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if hosts else [])]
        names = [_general_name(host) for host in hosts] or [x509.DNSName(identity)]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(signer_key, hashes.SHA256())
    pkcs8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate_path, key_path = key_pair(directory, identity)
    write_atomically(key_path, key.private_bytes(*pkcs8), mode=0o600)
    write_atomically(certificate_path, certificate.public_bytes(serialization.Encoding.PEM), mode=0o600)
    return [key_path, certificate_path]


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as error:
        raise ConfigError(f"--host must be a name or an address, got {host!r}") from error


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``train_keys``; return its exit code."""
    parser = OneLineParser(
        prog="train_keys",
        description="Make the certificates of a run, where they are missing, and nats-server.conf, which lets them in. "
        "ca.key stays here; a robot gets ca.crt, worker-NAME.crt and worker-NAME.key, the trainer's machine ca.crt, "
        "trainer.crt and trainer.key, who watches ca.crt, viewer.crt and viewer.key.",
    )
    parser.add_argument("directory", type=Path, help="of the files; security.directory of the configuration")
    parser.add_argument("--worker", action="append", default=[], metavar="NAME", help="a robot; may be given again")
    parser.add_argument(
        "--host", action="append", default=[], metavar="NAME_OR_IP",
        help="by which the server is reached; may be given again",
    )  # fmt: skip
    parser.add_argument("--days", type=int, default=365, help="for which the certificates are good (default: 365)")
    parser.add_argument(
        "--renew", action="store_true", help="make certificates again that are there (not the authority)"
    )
    arguments = parser.parse_args(argv)
    try:
        written = make_keys(arguments.directory, arguments.worker, arguments.host, arguments.days, arguments.renew)
    except (ConfigError, CredentialsError, OSError) as error:
        sys.stderr.write(f"train_keys: {error}\n")
        return 2
    for path in written:
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
