"""A real head. The link is in a relay process, as always: Ray may end the process that is attached to it."""

import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip("ray")
from ray_server import (
    descendants,
    free_port,
    program,
    push_of,
    take_all,
    until_answered,
    wait_for,
    write_config,
)

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.config import SecurityConfig
from rtgym_ros.train.config_file import make_config
from rtgym_ros.train.errors import CredentialsError
from rtgym_ros.train.links.server_client import ServerClient
from rtgym_ros.train.links.unix_link import UnixLink
from rtgym_ros.train.security.ray_environment import ray_environment
from rtgym_ros.train.server.ray_head import head_address, head_command
from rtgym_ros.train.supervision.supervisor import Child, Supervisor

_INTRUDER = """
import ray, sys
try:
    ray.init(address=sys.argv[1], namespace="r", log_to_driver=False)
    print("IN", ray.get(ray.get_actor("server").ping.remote(), timeout=10))
except BaseException as error:
    print("OUT", type(error).__name__, error)
"""


def intrude(address, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-c", _INTRUDER, address], env=kept | environment, capture_output=True, text=True, timeout=60
    )
    return done.stdout


def pids(process, text):
    return [pid for pid, title in descendants(process.pid).items() if text in title]


@pytest.mark.timeout(240)
def test_a_real_head(tmp_path, monkeypatch):
    """One after the other, because a head takes its time: pushes, strangers, a killed actor, a killed head."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    address = f"127.0.0.2:{free_port()}"
    config, path = write_config(tmp_path, ray=address, trainer=f"ray:{address}", worker=f"ray:{address}")
    relay = [sys.executable, "-m", "rtgym_ros.train.links.relay", "--config", str(path), "--timeout", "5"]
    with program("rtgym_ros.train.server.main", "--config", path) as server:
        script = tmp_path / "relays.py"  # a supervisor of its own, in a process: it needs a main thread
        children = {role: [*relay, "--role", role, "--socket", str(tmp_path / role)] for role in ("worker", "trainer")}
        script.write_text(
            f"import sys\nfrom {Supervisor.__module__} import Child, Supervisor\n"
            f"sys.exit(Supervisor([{Child.__name__}(n, c) for n, c in {children!r}.items()]).run())\n"
        )
        relays = subprocess.Popen([sys.executable, str(script)])
        try:
            with UnixLink(tmp_path / "worker") as up, UnixLink(tmp_path / "trainer") as down:
                worker, trainer = ServerClient(up), ServerClient(down)
                assert until_answered(lambda: worker.push(push_of(0, 5))).next_seq == 5
                assert take_all(trainer) == [("anna", seq) for seq in range(5)]

                token = tmp_path / "state" / "rtgym_ros" / "ray.token"
                wrong = tmp_path / "wrong"
                wrong.write_text("0" * 64)
                assert intrude(address).startswith("OUT")
                assert intrude(address, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(wrong)).startswith("OUT")
                let_in = intrude(address, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(token))
                assert let_in.startswith("IN True")

                (actor,) = pids(server, "ray::ServerActor")
                os.kill(actor, signal.SIGKILL)
                assert until_answered(lambda: worker.push(push_of(3, 5))).next_seq == 8
                assert actor not in descendants(server.pid)

                (gcs,) = pids(server, "/gcs_server ")
                (head,) = pids(server, " start --head ")
                before = set(descendants(server.pid))
                os.kill(head, signal.SIGKILL)
                wait_for(lambda: gcs not in descendants(server.pid))
                assert until_answered(lambda: worker.push(push_of(8, 2))).next_seq == 10
                assert until_answered(lambda: take_all(trainer)) == [("anna", seq) for seq in range(10)]
                assert set(descendants(server.pid)) != before
                everything = set(descendants(server.pid))
        finally:
            relays.terminate()
            relays.wait(30)
    wait_for(lambda: not [pid for pid in everything | before if os.path.exists(f"/proc/{pid}")], 10)
    for file in config.folder.rglob("*"):
        if file.is_file():
            assert token.read_bytes() not in file.read_bytes()


def test_without_credentials_the_loopback_has_a_token_of_its_own(tmp_path):
    first = ray_environment("127.0.0.2", SecurityConfig(), "server", {"XDG_STATE_HOME": str(tmp_path)})
    again = ray_environment("127.0.0.2", SecurityConfig(), "worker", {"XDG_STATE_HOME": str(tmp_path)})
    assert first == again
    assert first["RAY_AUTH_MODE"] == "token"
    assert first["RAY_ENABLE_AUTO_CONNECT"] == "0"
    token = tmp_path / "rtgym_ros" / "ray.token"
    assert (first["RAY_AUTH_TOKEN_PATH"], len(token.read_text())) == (str(token), 64)
    token.chmod(0o644)
    with pytest.raises(CredentialsError, match="mode 644"):
        ray_environment("127.0.0.2", SecurityConfig(), "server", {"XDG_STATE_HOME": str(tmp_path)})


def test_beyond_the_loopback_there_is_tls_too(tmp_path):
    pytest.importorskip("cryptography")
    from rtgym_ros.train.security.keys import make_keys

    make_keys(tmp_path / "keys", hosts=["10.0.0.1"])
    found = ray_environment("10.0.0.1", SecurityConfig(directory=str(tmp_path / "keys")), "server", {})
    assert (found["RAY_AUTH_MODE"], found["RAY_USE_TLS"]) == ("token", "1")
    assert found["RAY_TLS_SERVER_KEY"] == str(tmp_path / "keys" / "server.key")
    with pytest.raises(CredentialsError, match=r"security\.directory"):
        ray_environment("10.0.0.1", SecurityConfig(), "server", {})
    assert ray_environment("10.0.0.1", SecurityConfig(insecure=True), "server", {})["RAY_AUTH_MODE"] == "disabled"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:6379", "127.0.0.2"),
        ("10.0.0.1:6379", "train_keys"),
        ("0.0.0.0:6379", "train_keys"),
        ("x", "ray:HOST"),
    ],
)
def test_a_head_that_cannot_be_is_refused(address, message):
    config = make_config({"run": "r", "environment": {"id": "x"}, "server": {"ray": address}})
    with pytest.raises(ConfigError, match=message):
        head_address(config)


def test_ray_client_is_served_where_an_address_asks_for_it():
    values = {"run": "r", "environment": {"id": "x"}, "worker": {"server": "ray://127.0.0.2:12345"}}
    assert "--ray-client-server-port=12345" in head_command(make_config(values))
