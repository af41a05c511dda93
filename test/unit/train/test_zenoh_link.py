"""Real sessions on the loopback. A server that echoes stands behind the gateway."""

import socket
import time

import pytest

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.config_file import make_config
from rtgym_ros.train.errors import LinkError
from rtgym_ros.train.links.open_link import open_link
from rtgym_ros.train.protocol.messages import AskStatus, Publish, Refused, Release, decode_reply, encode

zenoh = pytest.importorskip("zenoh")
pytest.importorskip("cryptography")
from rtgym_ros.train.links.zenoh_settings import make_zenoh_config  # noqa: E402
from rtgym_ros.train.security.credentials import load_credentials  # noqa: E402
from rtgym_ros.train.security.keys import make_keys  # noqa: E402
from rtgym_ros.train.server.gateway import Gateway  # noqa: E402

STATUS = encode(AskStatus())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", 0))
        return probe.getsockname()[1]


def configure(endpoint, directory=None, run="r"):
    return make_config(
        {
            "run": run,
            "environment": {"id": "x"},
            "security": {"directory": None if directory is None else str(directory)},
            "server": {"ray": None, "zenoh": [endpoint]},
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    make_keys(folder / "keys", ["anna"])
    make_keys(folder / "foreign", ["anna"])
    make_keys(folder / "late", ["anna"])
    return folder


@pytest.fixture
def secured(folder):
    endpoint = f"tls/127.0.0.2:{free_port()}"
    seen = []

    def handle(request):
        seen.append(request)
        return request

    gateway = Gateway(configure(endpoint, folder / "keys"), handle)
    yield endpoint, seen
    gateway.close()


def link_to(endpoint, role, config):
    return open_link(f"zenoh:{endpoint}", "r", role, config.security)


@pytest.mark.parametrize("role", ["worker", "trainer"])
def test_with_credentials_it_works(secured, folder, role):
    endpoint, _ = secured
    with link_to(endpoint, role, configure(endpoint, folder / "keys")) as link:
        assert link.call(STATUS, 5.0) == STATUS
        large = encode(Publish(trainer="t", version=1, weights=bytes(2_000_000)))
        reply = link.call(large, 10.0)
        if role == "trainer":
            assert reply == large
        else:
            assert decode_reply(reply) == Refused(reason="a worker may not send Publish")


def test_with_a_foreign_authority_nothing_comes_in(secured, folder):
    endpoint, seen = secured
    before = len(seen)
    link = link_to(endpoint, "trainer", configure(endpoint, folder / "foreign"))
    with link, pytest.raises(LinkError, match=endpoint):
        link.call(STATUS, 1.5)
    assert len(seen) == before


def test_without_a_certificate_nothing_comes_in(secured, folder):
    endpoint, seen = secured
    before = len(seen)
    config = zenoh.Config()
    for path, value in (
        ("mode", '"client"'),
        ("connect/endpoints", f'["{endpoint}"]'),
        ("connect/timeout_ms", "1500"),
        ("connect/exit_on_failure", "true"),
        ("scouting/multicast/enabled", "false"),
        ("transport/link/tls/root_ca_certificate", f'"{folder / "keys" / "ca.crt"}"'),
    ):
        config.insert_json5(path, value)
    with pytest.raises(zenoh.ZError):
        zenoh.open(config)
    assert len(seen) == before


@pytest.mark.parametrize("key", ["rtgym_ros/r/trainer", "rtgym_ros/**", "rtgym_ros/r/*", "rtgym_ros/other/worker"])
def test_a_worker_gets_nothing_but_its_own_key(secured, folder, key):
    endpoint, seen = secured
    credentials = load_credentials(configure(endpoint, folder / "keys").security, "worker", {})
    with zenoh.open(make_zenoh_config("client", credentials, "connect", {"connect/endpoints": [endpoint]})) as session:
        before = len(seen)
        assert [
            reply.ok for reply in session.get(key, payload=encode(Release(trainer="t", position=9)), timeout=0.5)
        ] == []
        assert len(seen) == before
        assert [r.ok.payload.to_bytes() for r in session.get("rtgym_ros/r/worker", payload=STATUS)] == [STATUS]


def test_a_worker_cannot_answer_for_the_server_nor_listen_in(secured, folder):
    endpoint, _ = secured
    keys = configure(endpoint, folder / "keys")
    credentials = load_credentials(keys.security, "worker", {})
    heard = []
    with zenoh.open(make_zenoh_config("client", credentials, "connect", {"connect/endpoints": [endpoint]})) as session:
        session.declare_queryable("rtgym_ros/r/trainer", heard.append, complete=True)
        session.declare_subscriber("**", heard.append)
        with link_to(endpoint, "trainer", keys) as link:
            for _ in range(20):
                assert link.call(STATUS, 5.0) == STATUS
    assert heard == []


def test_a_certificate_that_the_gateway_does_not_list_gets_nothing(secured, folder):
    """Made by the same authority, after the gateway had started: it is let in with the next start."""
    endpoint, seen = secured
    make_keys(folder / "keys", ["bert"])
    before = len(seen)
    credentials = load_credentials(
        configure(endpoint, folder / "keys").security, "worker", {"RTGYM_ROS_IDENTITY": "worker-bert"}
    )
    with zenoh.open(make_zenoh_config("client", credentials, "connect", {"connect/endpoints": [endpoint]})) as session:
        assert list(session.get("rtgym_ros/r/worker", payload=STATUS, timeout=0.5)) == []
    assert len(seen) == before
    for suffix in ("crt", "key"):
        (folder / "keys" / f"worker-bert.{suffix}").unlink()


def test_nobody_there_is_a_link_error_in_time():
    endpoint = f"tcp/127.0.0.2:{free_port()}"
    began = time.monotonic()
    with link_to(endpoint, "worker", configure(endpoint)) as link, pytest.raises(LinkError, match=endpoint):
        link.call(STATUS, 0.5)
    assert time.monotonic() - began < 5.0


def test_the_link_recovers_when_the_router_comes_back():
    endpoint = f"tcp/127.0.0.2:{free_port()}"
    config = configure(endpoint)
    with link_to(endpoint, "worker", config) as link:
        for answer in (b"first", b"second"):
            gateway = Gateway(config, lambda request, answer=answer: answer)
            try:
                assert link.call(STATUS, 5.0) == answer
            finally:
                gateway.close()
            with pytest.raises(LinkError):
                link.call(STATUS, 0.5)


def test_a_closed_link_says_so():
    endpoint = "tcp/127.0.0.2:1"
    link = link_to(endpoint, "worker", configure(endpoint))
    link.close()
    link.close()
    with pytest.raises(LinkError, match="closed"):
        link.call(STATUS, 0.5)


@pytest.mark.parametrize("endpoint", ["tls/0.0.0.0:1", "tcp/0.0.0.0:1", "udp/127.0.0.2:1"])
def test_the_gateway_does_not_open_to_everybody(endpoint):
    with pytest.raises(ConfigError):
        Gateway(configure(endpoint), lambda request: request)
