import pytest

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.config import SecurityConfig
from rtgym_ros.train.errors import CredentialsError, LinkError
from rtgym_ros.train.links.address import parse_address
from rtgym_ros.train.links.open_link import check_security, open_link
from rtgym_ros.train.links.unix_link import UnixLink
from rtgym_ros.train.protocol.messages import AskStatus, Publish, Refused, decode_reply, encode
from rtgym_ros.train.server.roles import refusal


@pytest.mark.parametrize(
    ("text", "kind", "host", "port"),
    [
        ("ray:127.0.0.2:6379", "ray", "127.0.0.2", 6379),
        ("ray://box.lan:10001", "ray_client", "box.lan", 10001),
        ("zenoh:tls/10.0.0.1:7447", "tls", "10.0.0.1", 7447),
        ("zenoh:tcp/[::1]:7447", "tcp", "::1", 7447),
    ],
)
def test_addresses(text, kind, host, port):
    found = parse_address(text)
    assert (found.kind, found.host, found.port) == (kind, host, port)


@pytest.mark.parametrize(
    "text",
    ["", "ray", "ray:", "ray:1.2.3.4", "ray:a:0", "ray:a:65536", "zenoh:a:1", "zenoh:udp/a:1", "unix:", "tcp/a:1",
     "ray:a:1;x", "zenoh:tls/a:1?x"],
)  # fmt: skip
def test_what_is_no_address_is_told_in_one_line(text):
    with pytest.raises(ConfigError, match=r"must be ray:HOST:PORT.*unix:PATH, got") as caught:
        open_link(text, "run", "worker", SecurityConfig())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["ray:10.0.0.1:1", "ray://box:1", "zenoh:tls/box:1", "zenoh:tcp/0.0.0.0:1"])
def test_beyond_this_machine_credentials_are_needed(text, monkeypatch):
    monkeypatch.delenv("RTGYM_ROS_PRIVATE_KEY", raising=False)
    with pytest.raises(ConfigError, match=r"train_keys.*security\.insecure"):
        open_link(text, "run", "worker", SecurityConfig())
    check_security(parse_address(text), text, SecurityConfig(insecure=True))


def test_plain_tcp_beyond_this_machine_is_not_made_good_by_a_directory():
    with pytest.raises(ConfigError, match="zenoh:tls/"):
        open_link("zenoh:tcp/10.0.0.1:1", "run", "worker", SecurityConfig(directory="keys"))


def test_credentials_are_looked_at_before_anything_is_sent(tmp_path):
    pytest.importorskip("zenoh")
    with pytest.raises(CredentialsError, match="train_keys"):
        open_link("zenoh:tls/10.0.0.1:1", "run", "trainer", SecurityConfig(directory=str(tmp_path)))


def test_a_socket_needs_nothing(tmp_path):
    with open_link(f"unix:{tmp_path}/s", "run", "worker", SecurityConfig()) as link:
        assert isinstance(link, UnixLink)
        with pytest.raises(LinkError):
            link.call(b"x", 0.1)


def test_roles_have_their_requests():
    publish = encode(Publish(trainer="t", version=1, weights=b""))
    assert refusal("trainer", publish) is None
    assert refusal("worker", encode(AskStatus())) is None
    refused = decode_reply(refusal("worker", publish))
    assert refused == Refused(reason="a worker may not send Publish")
    assert decode_reply(refusal("trainer", b"\xff")) == Refused(reason="not a request")
