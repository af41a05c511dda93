"""Mutual TLS with a real nats-server: who may do what, and who gets nothing at all."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import signal
import ssl
import subprocess
import time
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest

pytest.importorskip("cryptography")

from nats_server import SCHEMA, NatsServer, config_of, fill, make_stream, python, running, write
from test_exactly_once import WEIGHTS, Carried, read_all, stamps_of, wait_for

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import LinkError
from rtgym_ros.train.security import keys as keys_module
from rtgym_ros.train.security.keys import make_keys
from rtgym_ros.train.stream.connection import connected
from rtgym_ros.train.stream.learner_link import LearnerLink
from rtgym_ros.train.stream.names import WEIGHTS as WEIGHTS_KEY
from rtgym_ros.train.stream.names import direct_get_subject, key_subject, sample_subject, stream_name
from rtgym_ros.train.stream.sample_message import SamplePublisher


def copy_for(keys: Path, folder: Path, identity: str) -> str:
    folder.mkdir(exist_ok=True)
    for name in ("ca.crt", f"{identity}.crt", f"{identity}.key"):
        shutil.copy(keys / name, folder / name)
    return str(folder)


def as_(config: TrainConfig, directory: str) -> TrainConfig:
    """Return the configuration of somebody with the keys in ``directory``."""
    return msgspec.structs.replace(config, security=msgspec.structs.replace(config.security, directory=directory))


@pytest.fixture
def keys(tmp_path):
    make_keys(tmp_path / "keys", ["w1", "w2"])
    for name in ("w1", "w2"):
        copy_for(tmp_path / "keys", tmp_path / name, f"worker-{name}")
    return tmp_path / "keys"


@pytest.fixture
def server(tmp_path, keys):
    config = config_of(tmp_path, security={"directory": str(keys)}, worker={"push_interval": 0.05})
    with running(config) as server:
        make_stream(config, SCHEMA)
        yield server


def call(config: TrainConfig, role: str, name: str, function):
    async def run():
        async with connected(config, role, name) as connection:
            return await function(connection)

    return asyncio.run(run())


def test_a_robot_sends_its_samples_and_gets_weights(server, tmp_path):
    carried = Carried(as_(server.config, str(tmp_path / "w1")))
    fill(carried.ring, 300)
    with closing(LearnerLink(server.config, schema=SCHEMA)) as link:
        link.publish(WEIGHTS)
        assert link.flush(10)
        wait_for(lambda: carried.ring.weights_version == 0)
    assert read_all(server.config, 300) == list(range(300))
    carried.end()


def refused(connection, coroutine):
    """Return whether the server says that it is not permitted, and does not do it."""

    async def run():
        try:
            await coroutine
        except LinkError as error:
            return "permissions violation" in str(error).lower()
        return False

    return run()


def test_a_robot_can_do_nothing_else(server, tmp_path):
    config = as_(server.config, str(tmp_path / "w1"))
    payload = np.zeros(1, SCHEMA.dtype).tobytes()

    async def attempt(connection):
        ask = connection.request
        return {
            "speak for another": await refused(connection, ask(sample_subject("r", "w2"), payload, 1.0)),
            "read another's last sample": await refused(
                connection, ask(direct_get_subject(stream_name("r"), sample_subject("r", "w2")), b"", 1.0)
            ),
            "read the stream": await refused(
                connection, ask(direct_get_subject(stream_name("r")), json.dumps({"seq": 1}).encode(), 1.0)
            ),
            "read the stream by its API": await refused(
                connection, ask(f"$JS.API.STREAM.MSG.GET.{stream_name('r')}", b'{"seq": 1}', 1.0)
            ),
            "make a consumer of the samples": await refused(
                connection, ask(f"$JS.API.CONSUMER.CREATE.{stream_name('r')}.spy.samples.r.w2", b"{}", 1.0)
            ),
            "publish weights": await refused(connection, ask(key_subject("r", WEIGHTS_KEY), b"x", 1.0)),
            "describe another": await refused(connection, ask(key_subject("r", "schema.w2"), b"x", 1.0)),
            "say what a learner expects": await refused(connection, ask(key_subject("r", "schema"), b"x", 1.0)),
            "delete the stream": await refused(connection, ask(f"$JS.API.STREAM.DELETE.{stream_name('r')}", b"", 1.0)),
        }

    found = call(config, "worker", "w1", attempt)
    assert found == dict.fromkeys(found, True)
    state = call(server.config, "trainer", "", lambda c: c.client.jetstream().stream_info(stream_name("r"))).state
    assert state.messages == 0


@pytest.mark.parametrize("subject", ["samples.>", "_INBOX_trainer.>", "_INBOX_worker-w2.>", "_INBOX.>", ">"])
def test_a_robot_cannot_listen_to_what_others_get(server, tmp_path, subject):
    async def listen(connection):
        heard = []

        async def on_message(message):
            heard.append(message)

        await connection.client.subscribe(subject, cb=on_message)
        await connection.client.flush()
        carried = Carried(as_(server.config, str(tmp_path / "w2")), "w2")
        fill(carried.ring, 20)
        await asyncio.get_running_loop().run_in_executor(None, read_all, server.config, 20)
        carried.end()
        return heard, connection.said.lower()

    heard, said = call(as_(server.config, str(tmp_path / "w1")), "worker", "w1", listen)
    assert heard == []
    assert "permissions violation" in said


def test_a_viewer_sees_and_changes_nothing_and_a_trainer_sends_no_samples(server):
    async def view(connection):
        info = await connection.client.jetstream().stream_info(stream_name("r"))
        for subject in (sample_subject("r", "w1"), key_subject("r", WEIGHTS_KEY)):
            assert await refused(connection, connection.request(subject, b"x", 1.0))
        return info.config.name

    assert call(server.config, "viewer", "", view) == "samples-r"

    async def speak(connection):
        return await refused(connection, connection.request(sample_subject("r", "w1"), b"x", 1.0))

    assert call(server.config, "trainer", "", speak)


def test_a_peer_without_a_certificate_of_ours_gets_nothing(server, tmp_path):
    make_keys(tmp_path / "other", ["w1"])
    for config in (
        as_(server.config, copy_for(tmp_path / "other", tmp_path / "false", "worker-w1")),
        msgspec.structs.replace(server.config, security=type(server.config.security)(insecure=True)),
    ):
        with pytest.raises(LinkError):
            call(config, "worker", "w1", lambda connection: SamplePublisher(connection, "r", "w1").last())


def test_a_certificate_of_ours_that_the_server_was_not_told_of_gets_nothing(server, keys, tmp_path):
    make_keys(keys, ["w3"])  # and the server has not read it yet
    config = as_(server.config, copy_for(keys, tmp_path / "w3", "worker-w3"))
    with pytest.raises(LinkError, match=r"(?i)authorization"):
        call(config, "worker", "w3", lambda connection: SamplePublisher(connection, "r", "w3").last())


def test_a_robot_that_comes_later_is_let_in_and_one_that_is_shut_out_is_not(server, keys, tmp_path):
    """What train_server does when the folder of the keys changes."""
    make_keys(keys, ["w3"])
    config = as_(server.config, copy_for(keys, tmp_path / "w3", "worker-w3"))
    reload(server)
    carried = Carried(config, "w3")
    fill(carried.ring, 10)
    assert read_all(server.config, 10) == list(range(10))
    (keys / "worker-w3.crt").unlink()
    reload(server)
    fill(carried.ring, 10)
    time.sleep(0.5)
    assert read_all(server.config, 10, timeout_s=1.0) == list(range(10))
    carried.uploader._config = msgspec.structs.replace(
        config, worker=msgspec.structs.replace(config.worker, drain_timeout=0.5)
    )
    carried.end()


def reload(server: NatsServer) -> None:
    server.child.prepare_reload()
    server.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)


@pytest.mark.parametrize("what", ["expired", "not yet valid"])
def test_a_robot_with_a_certificate_out_of_its_time_flies_on_and_reconnects_with_a_new_one(
    server, keys, tmp_path, caplog, monkeypatch, what
):
    robot = tmp_path / "w1"
    shift = timedelta(days=-400 if what == "expired" else 400)
    now = datetime.now(timezone.utc) + shift

    class Then(datetime):
        @classmethod
        def now(cls, tz=None):
            return now

    monkeypatch.setattr(keys_module, "datetime", Then)
    for name in ("worker-w1.crt", "worker-w1.key"):
        (keys / name).unlink()
    make_keys(keys, ["w1"], days=365)
    monkeypatch.undo()
    copy_for(keys, robot, "worker-w1")
    carried = Carried(as_(server.config, str(robot)))
    carried.uploader._outage._patience_s = 0.0
    fill(carried.ring, 50)
    reason = "expired on" if what == "expired" else "is not good before"
    wait_for(lambda: reason in caplog.text)
    make_keys(keys, ["w1"], renew=True)
    copy_for(keys, robot, "worker-w1")
    reload(server)
    assert read_all(server.config, 50) == list(range(50))
    carried.end()
    assert carried.error is None


@pytest.mark.timeout(180)
def test_certificates_are_rotated_while_everything_runs(tmp_path, keys):
    """Those of server, trainer and robot: train_server notices by itself, who connects from now on sees the new one."""
    config = config_of(tmp_path, security={"directory": str(keys)}, worker={"push_interval": 0.05})
    command = python("rtgym_ros.train.server.main", "--config", write(config))
    program = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        with closing(LearnerLink(config, schema=SCHEMA)) as link:
            assert link.wait_until_connected(60)
            robot = Carried(as_(config, str(tmp_path / "w1")))
            found: list[int] = []
            fill(robot.ring, 100)
            wait_for(lambda: found.extend(stamps_of(link.collect(0.1))) or len(found) == 100)
            before = call(config, "trainer", "", shown)
            make_keys(keys, ["w1"], renew=True)
            copy_for(keys, tmp_path / "w1", "worker-w1")
            wait_for(lambda: call(config, "trainer", "", shown) != before)
            assert call(config, "trainer", "", shown) == ssl.PEM_cert_to_DER_cert((keys / "server.crt").read_text())
            fill(robot.ring, 100)  # over the connections that were there
            wait_for(lambda: found.extend(stamps_of(link.collect(0.1))) or len(found) == 200)
            for child in psutil.Process(program.pid).children():  # and over new ones
                child.kill()
            fill(robot.ring, 100)
            wait_for(lambda: found.extend(stamps_of(link.collect(0.1))) or len(found) == 300)
            assert found == list(range(300))
            robot.end()
            assert robot.error is None
    finally:
        program.terminate()
        assert program.wait(30) == 0


async def shown(connection) -> bytes:
    """Return the certificate that the server has shown to this connection."""
    return connection.client._transport._io_writer.get_extra_info("ssl_object").getpeercert(binary_form=True)


@pytest.fixture(autouse=True)
def quiet():
    logging.getLogger("nats").setLevel(logging.CRITICAL)
