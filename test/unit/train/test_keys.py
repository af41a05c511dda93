import stat
from datetime import datetime, timedelta

import pytest

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.config import SecurityConfig
from rtgym_ros.train.errors import CredentialsError
from rtgym_ros.train.security import credentials
from rtgym_ros.train.security.credentials import credential_files, make_token, read_token, robot_name, robot_names

x509 = pytest.importorskip("cryptography.x509")
from rtgym_ros.train.security.keys import main, make_keys  # noqa: E402


@pytest.fixture
def folder(tmp_path):
    make_keys(tmp_path / "keys", ["anna"], ["10.0.0.7", "box.example.org"])
    return tmp_path / "keys"


def read(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_every_file_is_for_its_owner_alone(folder):
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    identities = ("ca", "server", "trainer", "viewer", "worker-anna")
    files = [f"{i}.{e}" for i in identities for e in ("crt", "key")]
    assert names == dict.fromkeys([*files, "nats-server.conf"], 0o600)


def test_certificates_say_who_and_where(folder):
    certificate = read(folder / "server.crt")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "10.0.0.7" in map(str, names.get_values_for_type(x509.IPAddress))
    assert "box.example.org" in names.get_values_for_type(x509.DNSName)
    worker = read(folder / "worker-anna.crt")
    assert worker.subject.rfc4514_string() == "CN=worker-anna"
    worker.verify_directly_issued_by(read(folder / "ca.crt"))


def test_a_worker_cannot_pass_for_a_server(folder):
    usage = read(folder / "worker-anna.crt").extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [purpose._name for purpose in usage] == ["clientAuth"]


def test_what_is_there_stays_unless_renewed(folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    written = make_keys(folder, ["anna", "bert"])
    assert sorted(path.name for path in written) == ["nats-server.conf", "worker-bert.crt", "worker-bert.key"]
    changed = {name for name, content in before.items() if (folder / name).read_bytes() != content}
    assert changed == {"nats-server.conf"}
    make_keys(folder, ["bert"], renew=True)
    changed = {name for name, content in before.items() if (folder / name).read_bytes() != content}
    renewed = {f"{name}.{end}" for name in ("server", "trainer", "viewer") for end in ("crt", "key")}
    assert changed == {*renewed, "nats-server.conf"}
    assert robot_names(folder) == ["anna", "bert"]


def test_each_role_finds_its_own(folder):
    for name in ("server", "trainer", "viewer", "worker-anna"):
        found = credential_files(folder, name)
        assert found == (folder / "ca.crt", folder / f"{name}.crt", folder / f"{name}.key")


def test_of_several_workers_the_name_chooses(folder):
    make_keys(folder, ["bert"])
    security = SecurityConfig(directory=str(folder))
    with pytest.raises(CredentialsError, match="has keys of anna, bert: --name must say which to use"):
        robot_name(security, "")
    assert robot_name(security, "bert") == "bert"


def test_a_worker_is_called_as_its_certificate_says(folder):
    security = SecurityConfig(directory=str(folder))
    assert robot_name(security, "") == robot_name(security, "anna") == "anna"
    with pytest.raises(CredentialsError, match="--name is 'bert', and the certificate here is of 'anna'"):
        robot_name(security, "bert")
    assert robot_name(SecurityConfig(), "bert") == "bert"


def test_a_key_or_a_token_that_others_may_read_is_refused(folder):
    (folder / "trainer.key").chmod(0o640)
    with pytest.raises(CredentialsError, match="mode 640"):
        credential_files(folder, "trainer")
    token = make_token(folder / "token")
    assert stat.S_IMODE((folder / "token").stat().st_mode) == 0o600
    assert make_token(folder / "token") == read_token(folder / "token") == token
    (folder / "token").chmod(0o604)
    with pytest.raises(CredentialsError, match=r"token has mode 604"):
        read_token(folder / "token")


@pytest.mark.parametrize(("days", "message"), [(366, "expired"), (-1, "not good before")])
def test_a_certificate_out_of_its_time_is_refused(folder, days, message, monkeypatch):
    class Then(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=days)

    monkeypatch.setattr(credentials, "datetime", Then)
    with pytest.raises(CredentialsError, match=message):
        credential_files(folder, "server")


def test_what_is_missing_is_named(folder, tmp_path):
    (folder / "server.key").unlink()
    with pytest.raises(CredentialsError, match=r"server\.key: No such file"):
        credential_files(folder, "server")
    with pytest.raises(CredentialsError, match=r"without server\.key"):
        make_keys(folder)
    with pytest.raises(CredentialsError, match=r"no worker-NAME\.key"):
        robot_name(SecurityConfig(directory=str(tmp_path)), "anna")


@pytest.mark.parametrize("worker", ["", "../x", "a b", "x" * 52])
def test_impossible_names_are_refused(tmp_path, worker, capsys):
    with pytest.raises(ConfigError, match="--worker"):
        make_keys(tmp_path / "keys", [worker])
    assert main([str(tmp_path / "keys"), "--worker", worker]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "keys").exists()


def test_the_program_tells_files_and_no_secrets(tmp_path, capsys):
    assert main([str(tmp_path / "keys"), "--worker", "anna", "--host", "10.1.1.1", "--days", "3"]) == 0
    out = capsys.readouterr().out
    assert "PRIVATE" not in out
    assert len(out.splitlines()) == 11
