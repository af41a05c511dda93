import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.errors import LinkError
from rtgym_ros.train.links import frames
from rtgym_ros.train.links.server_client import ServerClient
from rtgym_ros.train.links.unix_link import UnixLink
from rtgym_ros.train.protocol.messages import Push, Release, Take
from rtgym_ros.train.protocol.schema import from_columns, make_schema, to_columns
from rtgym_ros.train.server.unix_server import UnixServer

SCHEMA = make_schema(spaces.Box(-1, 1, (3,), np.float32), spaces.Box(-2, 2, (2,), np.float32))
SERVE = """
import sys, threading
from pathlib import Path
from rtgym_ros.train.config import ServerConfig
from rtgym_ros.train.server.server import Server
from rtgym_ros.train.server.unix_server import UnixServer
server = Server(Path(sys.argv[1]), ServerConfig(), "run", segment_bytes=100_000)
UnixServer(Path(sys.argv[2]), server.handle)
print("ready", flush=True)
threading.Event().wait()
"""


@pytest.fixture
def path():
    with tempfile.TemporaryDirectory(prefix="rtgym") as folder:  # short, as the path of a socket must be
        yield Path(folder, "s")


@pytest.fixture
def link(path):
    with UnixLink(path) as link:
        yield link


def echo(request):
    return b"re: " + request


def test_a_reply_comes_back_whatever_its_size(path, link):
    with UnixServer(path, echo):
        for size in (0, 1, 1000, 5_000_000):
            data = os.urandom(size)
            assert link.call(data, 10.0) == b"re: " + data


def test_several_clients_at_once(path):
    meeting = threading.Barrier(4)

    def handle(request):
        meeting.wait(10)  # passes only if all are served at the same time
        return echo(request)

    def ask(number):
        with UnixLink(path) as link:
            replies[number] = link.call(b"%d" % number, 10.0)

    replies = {}
    with UnixServer(path, handle):
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert replies == {number: b"re: %d" % number for number in range(4)}


def test_nobody_there_is_an_error_until_somebody_comes(path, link):
    with pytest.raises(LinkError, match=f"{path}: No such file"):
        link.call(b"", 1.0)
    with UnixServer(path, echo):
        assert link.call(b"a", 10.0) == b"re: a"
    with pytest.raises(LinkError):
        link.call(b"b", 1.0)
    with UnixServer(path, echo):
        assert link.call(b"c", 10.0) == b"re: c"


def test_a_late_reply_is_not_taken_for_the_next_one(path, link):
    go_on = threading.Event()

    def handle(request):
        if request == b"slow":
            go_on.wait(10)
        return echo(request)

    with UnixServer(path, handle):
        assert link.call(b"before", 10.0) == b"re: before"
        started = time.monotonic()
        with pytest.raises(LinkError, match=r"no answer within 0\.2 s"):
            link.call(b"slow", 0.2)
        assert 0.15 < time.monotonic() - started < 5
        assert link.call(b"meanwhile", 10.0) == b"re: meanwhile"
        go_on.set()
        assert link.call(b"after", 10.0) == b"re: after"


def test_the_timeout_is_for_the_whole_call_not_for_each_byte(path, link):
    """A peer that sends a byte now and then, before each timeout of the socket would be over."""
    now = 0.0

    def monotonic():
        return now

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def dribble():
            nonlocal now
            client, _ = listening.accept()
            with client:
                client.sendall((100).to_bytes(4, "big"))
                with suppress(BrokenPipeError):
                    while now < 50:
                        now += 1.0
                        client.sendall(b"x")

        thread = threading.Thread(target=dribble)
        thread.start()
        with UnixLink(path, monotonic) as slow, pytest.raises(LinkError, match="no answer within 10 s"):
            slow.call(b"?", 10.0)
        thread.join()


def test_a_reply_that_is_cut_off_is_an_error(path, link):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def cut():
            for data in (b"", b"\0\0", b"\0\0\0\x05ab", b"\xff\xff\xff\xff"):
                client, _ = listening.accept()
                frames.receive_frame(client)
                client.sendall(data)
                client.close()

        thread = threading.Thread(target=cut)
        thread.start()
        for words in ("ended the connection", "in the middle", "in the middle", "4294967295 bytes is announced"):
            with pytest.raises(LinkError, match=words):
                link.call(b"?", 10.0)
        thread.join()


def test_a_client_that_speaks_something_else_is_hung_up_on(path, link):
    with UnixServer(path, echo):
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff\xff\xff"):
            with socket.socket(socket.AF_UNIX) as stranger:
                stranger.connect(str(path))
                stranger.sendall(data)
                stranger.settimeout(10)
                with suppress(ConnectionResetError):
                    assert stranger.recv(1) == b""
        assert link.call(b"a", 10.0) == b"re: a"


def test_a_message_that_is_too_long_is_not_sent(path, link, monkeypatch):
    monkeypatch.setattr(frames, "MAX_FRAME_BYTES", 100)
    with UnixServer(path, echo):
        with pytest.raises(LinkError, match="a message of 101 bytes, and 100 is the limit"):
            link.call(bytes(101), 10.0)
        assert link.call(bytes(96), 10.0) == b"re: " + bytes(96)


def test_one_client_too_many_is_hung_up_on(path, link):
    with UnixServer(path, echo, max_clients=1):
        link.call(b"a", 10.0)
        with UnixLink(path) as second, pytest.raises(LinkError):
            second.call(b"b", 10.0)
        assert link.call(b"c", 10.0) == b"re: c"


def test_only_this_user_may_connect(path):
    with UnixServer(path, echo):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_a_place_where_somebody_listens_is_refused_and_a_left_one_taken(path, link):
    with UnixServer(path, echo), pytest.raises(ConfigError, match="somebody is listening there already"):
        UnixServer(path, echo)
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    with UnixServer(path, echo):
        assert link.call(b"a", 10.0) == b"re: a"
    path.write_text("precious")
    with pytest.raises(ConfigError, match="not a socket"):
        UnixServer(path, echo)
    assert path.read_text() == "precious"


def test_a_path_that_is_too_long_is_told(path):
    with pytest.raises(ConfigError, match="107 bytes at most"):
        UnixServer(path.with_name("s" * 120), echo)


def test_closing_ends_idle_clients_and_waits_for_a_running_request(path):
    inside, go_on, replies = threading.Event(), threading.Event(), []

    def handle(request):
        inside.set()
        go_on.wait(10)
        replies.append(request)
        return echo(request)

    server = UnixServer(path, handle)
    with socket.socket(socket.AF_UNIX) as idle, socket.socket(socket.AF_UNIX) as busy:
        idle.connect(str(path))
        busy.connect(str(path))
        frames.send_frame(busy, b"a")
        inside.wait(10)
        closing = threading.Thread(target=server.close)
        closing.start()
        idle.settimeout(10)
        assert idle.recv(1) == b""
        assert closing.is_alive()
        go_on.set()
        closing.join(10)
        assert not closing.is_alive()
    assert replies == [b"a"]
    server.close()


def test_a_closed_link_stays_closed(path, link):
    with UnixServer(path, echo):
        link.close()
        link.close()
        with pytest.raises(LinkError, match="is closed"):
            link.call(b"a", 1.0)


def push(first, count):
    records = np.zeros(count, SCHEMA.dtype)
    records["episode"] = np.arange(first, first + count)
    return Push(worker="w", boot="b", first_seq=first, count=count, schema=SCHEMA, columns=to_columns(records))


def test_a_server_killed_again_and_again_loses_nothing_that_it_acknowledged(path):
    """A real process, SIGKILLed while a client pushes; the client pushes again what was not acknowledged."""
    folder = path.with_name("server")
    stop, failures, acknowledged = threading.Event(), [], [0]

    def work():
        try:
            with UnixLink(path) as link:
                client = ServerClient(link, 10.0)
                while not stop.is_set():
                    try:
                        acknowledged[0] = client.push(push(acknowledged[0], 50)).next_seq
                    except LinkError:
                        stop.wait(0.01)
        except BaseException as error:
            failures.append(error)

    found = []
    worker = threading.Thread(target=work)
    worker.start()
    try:
        for life in range(5):
            with subprocess.Popen(
                [sys.executable, "-c", SERVE, folder, path], stdout=subprocess.PIPE, text=True
            ) as process:
                try:
                    assert process.stdout.readline() == "ready\n"
                    begin, until = acknowledged[0], time.monotonic() + 20
                    while acknowledged[0] < begin + 1000 * (life + 1) and time.monotonic() < until:
                        time.sleep(0.005)
                    if life == 4:
                        stop.set()
                        worker.join()
                        safe = acknowledged[0]
                    with UnixLink(path) as link:
                        client = ServerClient(link)
                        while life == 4 or len(found) < begin:
                            taken = client.take(Take(trainer="t", schema=SCHEMA, position=len(found)))
                            if not taken.batches:
                                break
                            for batch in taken.batches:
                                records = from_columns(SCHEMA, batch.columns, batch.count)
                                found += records["episode"].tolist()
                        client.release(Release(trainer="t", position=len(found) // 2))
                        status = client.status()
                finally:
                    process.kill()  # life 0 to 3: while it is pushed to
    finally:
        stop.set()
        worker.join()
    assert not failures
    assert safe > 15_000 - 1
    assert found == list(range(safe))
    assert (status.samples, status.workers[0].samples, status.workers[0].dropped) == (safe, safe, 0)
