"""Samples from rings through a real nats-server to a reader: each once, in order, whoever is killed."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import subprocess
import threading
import time
from contextlib import closing
from zlib import crc32

import msgspec
import numpy as np
import pytest
from gymnasium import spaces
from nats_server import SCHEMA, config_of, fill, make_stream, python, running, with_connection, write

from rtgym_ros.policies.weights import PolicyWeights
from rtgym_ros.train.config import SecurityConfig
from rtgym_ros.train.errors import LinkError, OutOfStepError, RefusedError
from rtgym_ros.train.protocol.schema import make_schema
from rtgym_ros.train.stream.connection import Outage, connected
from rtgym_ros.train.stream.learner_link import LearnerLink
from rtgym_ros.train.stream.names import sample_subject, stream_name
from rtgym_ros.train.stream.sample_message import BatchHeader, SamplePublisher
from rtgym_ros.train.stream.sample_reader import SampleReader
from rtgym_ros.train.worker.ring_folder import RingFolder
from rtgym_ros.train.worker.uploader import FIRST_BYTES, Uploader

WEIGHTS = PolicyWeights("any", -1, {"a": np.arange(3.0)}, {})


class Carried:
    """An uploader in a thread, and the ring that it reads."""

    def __init__(self, config, name="w1", capacity=100_000, schema=SCHEMA):
        self.config, self.name = config, name
        self.folder = config.folder / "workers" / name
        self.ring = RingFolder(self.folder).create(schema, capacity)
        self.error = None
        self.start()

    def start(self):
        self.uploader = Uploader(self.config, self.name, self.folder)
        self.loop, self.ready = None, threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.thread.start()
        assert self.ready.wait(10)

    async def _run(self):
        self.stop_event, self.loop = asyncio.Event(), asyncio.get_running_loop()
        self.ready.set()
        try:
            await self.uploader.run(self.stop_event)
        except Exception as error:
            self.error = error
        finally:
            self.uploader.close()

    def end(self):
        """Let it hand over what is left, and end."""
        self.ring.close()
        self.loop.call_soon_threadsafe(self.stop_event.set)
        self.thread.join(60)
        assert not self.thread.is_alive()


def stamps_of(batches) -> list[int]:
    return [stamp for batch in batches for stamp in batch.records["stamp_ns"].tolist()]


def read_all(config, count, link=None, timeout_s=30.0) -> list[int]:
    """Return the stamps of all samples, in the order of the stream, once there are ``count``."""
    found, until = [], time.monotonic() + timeout_s
    with closing(link or LearnerLink(config, schema=SCHEMA)) as link:
        while len(found) < count and time.monotonic() < until:
            found += stamps_of(link.collect(0.2))
        found += stamps_of(link.collect(0.3))
    return found


def wait_for(what, timeout_s=30.0):
    until = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < until, "it does not happen"
        time.sleep(0.02)


@pytest.fixture
def server(tmp_path):
    config = config_of(tmp_path, worker={"push_interval": 0.05, "push_samples": 100})
    with running(config) as server:
        make_stream(config)
        yield server


def header_of(payload: bytes, first: int, count: int) -> BatchHeader:
    return BatchHeader(boot="b", first_seq=first, count=count, crc=crc32(payload), schema=SCHEMA.digest)


def test_samples_come_once_in_order_and_the_ring_is_empty(server):
    carried = Carried(server.config)
    fill(carried.ring, 1234)
    assert read_all(server.config, 1234) == list(range(1234))
    carried.end()
    assert not list((carried.folder / "rings").iterdir())


def test_the_server_is_killed_again_and_again_while_samples_come(server):
    carried = Carried(server.config)
    link = LearnerLink(server.config, schema=SCHEMA)
    found, chance, kills = [], random.Random(1), 0
    until = time.monotonic() + 12
    next_kill = time.monotonic() + 0.5
    while time.monotonic() < until:
        fill(carried.ring, 20)
        found += stamps_of(link.collect(0.01))
        if time.monotonic() > next_kill:
            server.kill()
            server.start()
            kills, next_kill = kills + 1, time.monotonic() + chance.uniform(0.1, 0.8)
    written = carried.ring.written
    carried.end()
    assert kills >= 5
    found += read_all(server.config, written - len(found), link)
    assert found == list(range(written))  # none lost, none twice
    assert read_all(server.config, written) == list(range(written))  # and so it is in the stream


def test_messages_grow_while_samples_wait_and_the_server_may_be_killed_under_them(server):
    """Pushed by the hundred, and thousands wait: what is under way at a kill is large, and comes once all the same."""
    carried, chance = Carried(server.config), random.Random(2)
    for _ in range(6):
        fill(carried.ring, 6000)
        time.sleep(chance.uniform(0.0, 0.2))
        server.kill()
        server.start()
    written = carried.ring.written
    sizes, found = [], []
    with closing(LearnerLink(server.config, schema=SCHEMA)) as link:
        until = time.monotonic() + 60
        while len(found) < written and time.monotonic() < until:
            batches = link.collect(0.2)
            sizes += [batch.header.count for batch in batches]
            found += stamps_of(batches)
    assert found == list(range(written))
    assert max(sizes) > 1000
    server.kill()
    server.start()
    fill(carried.ring, 10)
    wait_for(lambda: carried.uploader._rings.unread == 0)
    assert carried.uploader._limit == FIRST_BYTES, "they are small again with every connection"
    carried.end()
    assert read_all(server.config, written + 10) == list(range(written + 10))


def test_an_acknowledgement_that_was_lost_is_recognised(server):
    async def publish(connection):
        publisher = SamplePublisher(connection, "r", "w1")
        payload = np.zeros(3, SCHEMA.dtype).tobytes()
        assert await publisher.last() is None
        await publisher.publish(header_of(payload, 0, 3), payload)
        # Another link process begins, which knows nothing of it.
        after_a_crash = SamplePublisher(connection, "r", "w1")
        with pytest.raises(OutOfStepError):
            await after_a_crash.publish(header_of(payload, 0, 3), payload)
        last = await after_a_crash.last()
        assert (last.boot, last.next_seq) == ("b", 3)
        await after_a_crash.publish(header_of(payload, 3, 3), payload)
        return (await connection.client.jetstream().stream_info(stream_name("r"))).state.messages

    assert with_connection(server.config, "worker", publish, "w1") == 2


def test_a_link_process_that_is_killed_goes_on_where_it_was(server):
    config = server.config
    folder = config.folder / "workers" / "w1"
    ring = RingFolder(folder).create(SCHEMA, 100_000)
    command = python("rtgym_ros.train.worker.link_main", "--config", write(config), "--name", "w1", "--folder", folder)
    for _ in range(4):
        process = subprocess.Popen(command)
        for _ in range(15):
            fill(ring, 50)
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    written = ring.written
    ring.close()
    process = subprocess.Popen(command)
    assert read_all(config, written) == list(range(written))
    wait_for(lambda: not list((folder / "rings").iterdir()))
    process.terminate()
    assert process.wait(20) == 0


def test_several_boots_of_the_control_process_come_in_their_order(server):
    folder = server.config.folder / "workers" / "w1"
    for _ in range(3):
        ring = RingFolder(folder).create(SCHEMA, 1000)
        fill(ring, 150)
        ring.close()
        time.sleep(0.002)
    carried = Carried(server.config)
    fill(carried.ring, 10)
    assert read_all(server.config, 460) == [*range(150), *range(150), *range(150), *range(10)]
    carried.end()


def test_samples_that_are_given_up_are_counted_and_told(server):
    server.kill()
    carried = Carried(server.config, capacity=100)
    fill(carried.ring, 250)
    server.start()
    assert read_all(server.config, 100) == list(range(150, 250))
    carried.end()

    async def last(connection):
        return await SamplePublisher(connection, "r", "w1").last()

    assert with_connection(server.config, "worker", last, "w1").dropped == 150


def test_samples_that_went_with_the_memory_of_a_robot_at_a_power_cut_are_counted(server, caplog):
    carried = Carried(server.config)
    fill(carried.ring, 100)
    assert read_all(server.config, 100) == list(range(100))
    server.kill()
    (ring,) = RingFolder(carried.folder).paths()
    fill(carried.ring, 130)
    note = ring.with_suffix(".written")
    wait_for(lambda: note.exists() and note.read_text() == "230")
    ring.readlink().unlink()  # what is in RAM goes with the power, what leads to it is on the disk
    carried.loop.call_soon_threadsafe(carried.stop_event.set)
    carried.thread.join(60)
    carried.ring.close()
    server.start()
    again = Carried(server.config)
    fill(again.ring, 10)
    assert read_all(server.config, 110) == [*range(100), *range(10)]
    again.end()

    async def last(connection):
        return await SamplePublisher(connection, "r", "w1").last()

    assert with_connection(server.config, "worker", last, "w1").lost == 130
    assert "at least 130 samples are lost" in caplog.text
    assert not note.exists()


def test_batches_are_cut_to_max_payload_and_a_sample_above_it_is_refused_with_both_numbers(tmp_path):
    image = make_schema(spaces.Box(0, 255, (100, 100), np.uint8), spaces.Box(-1, 1, (2,)))
    config = config_of(tmp_path, server={"max_payload": 50_000})
    with running(config):
        make_stream(config)
        carried = Carried(config, schema=image, capacity=100)
        fill(carried.ring, 30, image)
        assert read_all(config, 30, LearnerLink(config, schema=image)) == list(range(30))
        carried.end()
        assert carried.error is None
        large = make_schema(spaces.Box(0, 255, (300, 300), np.uint8), spaces.Box(-1, 1, (2,)))
        carried = Carried(config, name="w2", schema=large, capacity=10)
        fill(carried.ring, 1, large)
        carried.thread.join(20)
        carried.ring.close()
        assert isinstance(carried.error, RefusedError)
        assert str(large.dtype.itemsize) in str(carried.error)
        assert "50000" in str(carried.error)


def test_the_stream_keeps_the_last_memory_size_samples(tmp_path):
    config = config_of(tmp_path, worker={"push_interval": 0.01}, trainer={"memory_size": 2000})
    with running(config):
        make_stream(config, SCHEMA)
        carried = Carried(config)
        for _ in range(100):
            fill(carried.ring, 100)
            time.sleep(0.01)
        wait_for(lambda: carried.uploader._rings.unread == 0)
        carried.end()
        kept = read_all(config, 10_000, timeout_s=2.0)
        assert kept == list(range(kept[0], 10_000))
        assert 2000 <= len(kept) < 10_000


def test_messages_that_were_deleted_before_they_were_read_are_counted(server, caplog):
    async def run(connection):
        publisher = SamplePublisher(connection, "r", "w1")
        payload = np.zeros(1, SCHEMA.dtype).tobytes()
        for number in range(10):
            await publisher.publish(header_of(payload, number, 1), payload)
        await connection.client.jetstream().purge_stream(stream_name("r"), seq=6)
        reader = SampleReader("r")
        batches = await reader.read(connection, SCHEMA, 1_000_000)
        return [batch.bookmark.position for batch in batches], reader.counts["evicted"]

    assert with_connection(server.config, "trainer", run) == ([6, 7, 8, 9, 10], 5)
    assert "5 messages were deleted before they were read" in caplog.text


def test_a_damaged_batch_and_one_of_another_schema_are_left_out_and_told(server, caplog):
    async def run(connection):
        payload = np.zeros(2, SCHEMA.dtype).tobytes()
        client = connection.client
        good = header_of(payload, 0, 2)
        subject = sample_subject("r", "w1")
        for headers, data in (
            ({}, b"noise"),
            (good.headers(), payload[:-1] + b"x"),  # a flipped bit
            (BatchHeader(boot="b", first_seq=0, count=2, crc=crc32(payload), schema=1).headers(), payload),
            (good.headers(), payload),
        ):
            await client.jetstream().publish(subject, data, headers=headers)
        reader = SampleReader("r")
        batches = await reader.read(connection, SCHEMA, 1_000_000)
        return [batch.bookmark.position for batch in batches], reader.counts["refused"], reader.bookmark.position

    assert with_connection(server.config, "trainer", run) == ([4], 3, 4)
    assert "checksum" in caplog.text
    assert "schema 00000001" in caplog.text


def test_a_server_that_was_set_back_to_an_older_copy_loses_nothing_that_was_read(server, tmp_path, caplog):
    """A power cut without a sync, a restored backup: what is gone is counted, everybody goes on."""
    carried = Carried(server.config)
    link = LearnerLink(server.config, schema=SCHEMA)
    fill(carried.ring, 300)
    found = []
    wait_for(lambda: found.extend(stamps_of(link.collect(0.1))) or len(found) == 300)
    server.stop()
    server.save(tmp_path / "copy")
    server.start()
    fill(carried.ring, 200)
    wait_for(lambda: found.extend(stamps_of(link.collect(0.1))) or len(found) == 500)
    server.stop()
    server.restore(tmp_path / "copy")
    server.start()
    fill(carried.ring, 100)
    wait_for(lambda: found.extend(stamps_of(link.collect(0.1))) or len(found) >= 600)
    carried.end()
    assert found == list(range(600))  # the learner has all of it, once
    assert link.counts["set_back"] == 1
    link.close()
    assert "the server has lost 200 samples that it had acknowledged" in caplog.text
    assert read_all(server.config, 400) == [*range(300), *range(500, 600)]  # what the stream has

    async def last(connection):
        return await SamplePublisher(connection, "r", "w1").last()

    assert with_connection(server.config, "worker", last, "w1").lost == 200


def test_weights_reach_who_is_there_who_comes_late_and_who_was_away(server):
    config = server.config
    carried = Carried(config)
    with closing(LearnerLink(config, schema=SCHEMA)) as link:
        link.publish(WEIGHTS)
        assert link.flush(10)
        wait_for(lambda: carried.ring.weights_version == 0)
        late = Carried(config, "w2")
        wait_for(lambda: late.ring.weights_version == 0)
        server.kill()
        server.start()
        link.publish(WEIGHTS)
        assert link.flush(20)
        wait_for(lambda: carried.ring.weights_version == late.ring.weights_version == 1)
        data = PolicyWeights.from_bytes(carried.ring.read_weights())
        assert data.version == 1
        assert data.arrays["a"].tolist() == [0.0, 1.0, 2.0]
    with closing(LearnerLink(config, schema=SCHEMA)) as another:  # versions go on where another learner was
        another.publish(WEIGHTS)
        assert another.flush(10)
        assert another.version == 2
    carried.end()
    late.end()


def test_weights_above_the_payload_go_through_the_object_store(tmp_path):
    config = config_of(tmp_path, server={"max_payload": 20_000})
    with running(config):
        make_stream(config)
        carried = Carried(config)
        with closing(LearnerLink(config, schema=SCHEMA)) as link:
            for number in range(3):
                link.publish(PolicyWeights("any", -1, {"a": np.full(50_000, float(number))}, {}))
                assert link.flush(20)
                wait_for(lambda: carried.ring.weights_version == number)  # noqa: B023
                found = PolicyWeights.from_bytes(carried.ring.read_weights())
                assert (found.arrays["a"] == number).all()
        carried.end()


def test_two_learners_read_one_stream_each_at_its_own_position(server):
    carried = Carried(server.config)
    fill(carried.ring, 500)
    assert read_all(server.config, 500) == list(range(500))
    first = SampleReader("r")

    async def read(connection):
        return await first.read(connection, SCHEMA, 1)

    batches = with_connection(server.config, "trainer", read)
    rest = read_all(
        server.config, 500 - len(stamps_of(batches)), LearnerLink(server.config, first.bookmark, schema=SCHEMA)
    )
    assert stamps_of(batches) + rest == list(range(500))
    carried.end()


def test_a_learner_without_a_server_waits_and_one_line_tells_of_it(tmp_path, caplog, monkeypatch):
    config, now_s = config_of(tmp_path), iter(range(0, 100_000, 10)).__next__
    monkeypatch.setattr("rtgym_ros.train.stream.learner_link.Outage", lambda log: Outage(log, now_s))
    with closing(LearnerLink(config, schema=SCHEMA)) as link:
        wait_for(lambda: "trying again" in caplog.text)
        assert not link.wait_until_connected(0.1)
    assert caplog.text.count("trying again") == 1


def test_nobody_gets_in_without_the_token(server):
    intruder = msgspec.structs.replace(server.config, security=SecurityConfig(insecure=True))

    async def call():
        async with connected(intruder, "trainer"):
            pass

    with pytest.raises(LinkError, match=r"(?i)authorization"):
        asyncio.run(call())


@pytest.fixture(autouse=True)
def quiet():
    logging.getLogger("nats").setLevel(logging.CRITICAL)
