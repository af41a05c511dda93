"""``train_server`` from end to end, over every link at once."""

import os
import subprocess
import sys

import pytest
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

from rtgym_ros.train.config import SecurityConfig
from rtgym_ros.train.links.open_link import open_link
from rtgym_ros.train.links.server_client import ServerClient
from rtgym_ros.train.links.unix_link import UnixLink

_SERVER, _RELAY = "rtgym_ros.train.server.main", "rtgym_ros.train.links.relay"


def alive(pids):
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}")]


@pytest.mark.timeout(180)
def test_ray_and_zenoh_at_once(tmp_path, monkeypatch):
    for needed in ("ray", "zenoh", "cryptography"):
        pytest.importorskip(needed)
    from rtgym_ros.train.security.keys import make_keys

    monkeypatch.delenv("RTGYM_ROS_PRIVATE_KEY", raising=False)
    make_keys(tmp_path / "keys", ["anna"])
    ray, endpoint = f"127.0.0.2:{free_port()}", f"tls/127.0.0.2:{free_port()}"
    config, path = write_config(tmp_path, ray, [endpoint], tmp_path / "keys", trainer=f"ray:{ray}")
    with program(_SERVER, "--config", path) as server:
        robot = open_link(f"zenoh:{endpoint}", "r", "worker", config.security)
        with robot, program(_RELAY, "--config", path, "--role", "trainer", "--socket", tmp_path / "s"):
            over_zenoh = ServerClient(robot)
            with UnixLink(tmp_path / "s") as link:
                over_ray = ServerClient(link)
                assert until_answered(lambda: over_zenoh.push(push_of(0, 7))).next_seq == 7
                assert until_answered(lambda: over_ray.push(push_of(0, 3, "bert"))).next_seq == 3
                taken = [("anna", seq) for seq in range(7)] + [("bert", seq) for seq in range(3)]
                assert take_all(over_ray) == taken
                assert {worker.worker for worker in over_zenoh.status().workers} == {"anna", "bert"}
        everything = descendants(server.pid)
        assert len(everything) > 4
    assert wait_for(lambda: not alive(everything), 10)
    with program(_SERVER, "--config", path), open_link(f"zenoh:{endpoint}", "r", "worker", config.security) as robot:
        assert until_answered(lambda: ServerClient(robot).push(push_of(5, 7))).next_seq == 12


@pytest.mark.timeout(60)
def test_zenoh_without_ray(tmp_path):
    pytest.importorskip("zenoh")
    endpoint = f"tcp/127.0.0.2:{free_port()}"
    _, path = write_config(tmp_path, zenoh=[endpoint])
    with (
        program(_SERVER, "--config", path) as server,
        open_link(f"zenoh:{endpoint}", "r", "worker", SecurityConfig()) as up,
        open_link(f"zenoh:{endpoint}", "r", "trainer", SecurityConfig()) as down,
    ):
        assert until_answered(lambda: ServerClient(up).push(push_of(0, 4))).next_seq == 4
        (gateway,) = descendants(server.pid)
        os.kill(gateway, 9)
        assert until_answered(lambda: take_all(ServerClient(down))) == [("anna", seq) for seq in range(4)]
        everything = descendants(server.pid)
    assert wait_for(lambda: not alive(everything), 10)


@pytest.mark.timeout(60)
def test_a_socket_and_nothing_else(tmp_path):
    config, path = write_config(tmp_path)
    with program(_SERVER, "--config", path), open_link(f"unix:{config.folder}/server.sock", "r", "worker",
                                                       SecurityConfig()) as link:  # fmt: skip
        assert until_answered(lambda: ServerClient(link).push(push_of(0, 4))).next_seq == 4
    assert not (config.folder / "server.sock").exists()


@pytest.mark.timeout(60)
def test_a_relay_answers_for_a_server_that_is_not_there(tmp_path):
    _, path = write_config(tmp_path, trainer=f"unix:{tmp_path}/nobody")
    arguments = ("--config", path, "--role", "trainer", "--socket", tmp_path / "s", "--heartbeat", tmp_path / "beat")
    with program(_RELAY, *arguments), UnixLink(tmp_path / "s") as link:
        wait_for((tmp_path / "beat").exists)
        from rtgym_ros.train.errors import RefusedError

        with pytest.raises(RefusedError, match="nobody") as caught:
            ServerClient(link).status()
        assert caught.value.retry


@pytest.mark.parametrize(
    ("override", "message"),
    [("server.ray=10.0.0.1:6379", "train_keys"), ("server.zenoh=[tcp/0.0.0.0:7447]", "security"),
     ("server.zenoh=[x]", "server.zenoh"), ("server.rai=1", "unknown entry server.rai")],
)  # fmt: skip
def test_a_wrong_configuration_ends_with_2_and_one_line(tmp_path, override, message):
    _, path = write_config(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", _SERVER, "--config", str(path), "--set", override],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
