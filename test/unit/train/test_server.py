import itertools
import os
import re
import shutil
import tempfile
import threading
import tracemalloc
from pathlib import Path

import msgspec
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from rtgym_ros.train.config import ServerConfig
from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.protocol.messages import (
    AskStatus,
    Publish,
    Published,
    Push,
    Pushed,
    Refused,
    Release,
    Released,
    Take,
    Taken,
    decode_reply,
    encode,
)
from rtgym_ros.train.protocol.schema import from_columns, make_schema, to_columns
from rtgym_ros.train.server.server import Server

SCHEMA = make_schema(spaces.Box(-1, 1, (3,), np.float32), spaces.Box(-2, 2, (2,), np.float32))
OTHER = make_schema(spaces.Box(-1, 1, (4,), np.float32), spaces.Box(-2, 2, (2,), np.float32))


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def columns(first, count):
    """Samples that tell their sequence number."""
    records = np.zeros(count, SCHEMA.dtype)
    records["episode"] = np.arange(first, first + count)
    records["reward"] = -records["episode"]
    return to_columns(records)


def push(first, count, worker="robot", boot="b1", **others):
    values = {"schema": SCHEMA, "columns": columns(first, count), **others}
    return Push(worker=worker, boot=boot, first_seq=first, count=count, **values)


def take(position, trainer="trainer", **others):
    return Take(trainer=trainer, position=position, **{"schema": SCHEMA, **others})


def publish(version, trainer="trainer", inside=None):
    weights = PolicyWeights("test", version if inside is None else inside, {"a": np.ones(3)}, {})
    return Publish(trainer=trainer, version=version, weights=weights.to_bytes())


def ask(server, request):
    return decode_reply(server.handle(encode(request)))


def samples(taken):
    """Return (worker, boot, seq) of every sample taken, after a look at positions and at what is in it."""
    found = []
    for before, after in itertools.pairwise(taken.batches):
        assert before.position + before.count == after.position
    for batch in taken.batches:
        records = from_columns(SCHEMA, batch.columns, batch.count)
        assert (records["episode"] == np.arange(batch.first_seq, batch.first_seq + batch.count)).all()
        assert (records["reward"] == -records["episode"]).all()
        found += [(batch.worker, batch.boot, int(seq)) for seq in records["episode"]]
    return found


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_server(tmp_path, clock):
    servers = []

    def make(folder=tmp_path / "server", run="run", segment_bytes=2000, **config):
        servers.append(Server(folder, ServerConfig(**config), run, clock, segment_bytes))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def server(make_server):
    return make_server()


def test_samples_go_from_worker_to_trainer(server):
    assert ask(server, push(0, 10)) == Pushed(next_seq=10, version=-1)
    assert ask(server, push(10, 5)) == Pushed(next_seq=15, version=-1)
    taken = ask(server, take(0))
    assert samples(taken) == [("robot", "b1", seq) for seq in range(15)]
    assert (taken.end, taken.version, taken.schema) == (15, -1, SCHEMA)
    assert samples(ask(server, take(12))) == [("robot", "b1", seq) for seq in (12, 13, 14)]
    assert samples(ask(server, take(0, max_bytes=1))) == [("robot", "b1", seq) for seq in range(10)]
    assert ask(server, take(15)).batches == []


def test_what_came_before_is_not_taken_again_and_gaps_are_dropped_samples(server):
    ask(server, push(0, 10))
    assert ask(server, push(0, 10)).next_seq == 10
    assert ask(server, push(4, 10)).next_seq == 14
    assert ask(server, push(20, 5)).next_seq == 25
    assert ask(server, push(15, 2)).next_seq == 25  # comes after what was given for lost
    assert samples(ask(server, take(0))) == [("robot", "b1", seq) for seq in (*range(14), *range(20, 25))]
    (worker,) = ask(server, AskStatus()).workers
    assert (worker.samples, worker.dropped, worker.duplicates) == (19, 6, 18)


def test_an_empty_push_tells_where_to_go_on_and_brings_weights(server):
    ask(server, push(0, 10))
    request = publish(3)
    assert ask(server, request) == Published()
    poll = Push(worker="robot", boot="b1", first_seq=0, count=0, schema=SCHEMA, columns={})
    assert ask(server, poll) == Pushed(next_seq=10, version=3, weights=request.weights)
    assert ask(server, push(99, 0, have_version=3)) == Pushed(next_seq=10, version=3)
    assert ask(server, AskStatus()).workers[0].have_version == 3
    assert ask(server, push(0, 0, boot="b2")).next_seq == 0


def test_another_schema_is_refused_naming_both_sides(server, make_server):
    ask(server, push(0, 1))
    server.close()
    server = make_server()  # it is remembered
    for request, who in ((push(1, 1, schema=OTHER), "worker robot"), (take(0, schema=OTHER), "trainer trainer")):
        reply = ask(server, request)
        assert reply.reason == (
            f"another schema: observation/0 is <f4[3] in [-1, 1] at the server, <f4[4] in [-1, 1] at {who}"
        )
        assert not reply.retry
    newer = msgspec.structs.replace(SCHEMA, version=SCHEMA.version + 1)
    assert "schema version 1 at the server, 2 at worker robot" in ask(server, push(1, 1, schema=newer)).reason
    turned = msgspec.structs.replace(SCHEMA, fields=SCHEMA.fields[::-1])
    assert "in another order" in ask(server, push(1, 1, schema=turned)).reason
    assert ask(server, AskStatus()).samples == 1


def test_a_trainer_that_comes_first_decides_the_schema_and_one_without_asks_for_it(server):
    assert ask(server, take(0, schema=None)).schema is None
    assert ask(server, take(0, schema=OTHER)).schema == OTHER
    assert isinstance(ask(server, push(0, 1)), Refused)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"columns": {}}, "missing or not in the schema"),
        ({"columns": columns(0, 3)}, "column 'episode' has 24 bytes; 2 samples of it have 16"),
        ({"columns": {**columns(0, 2), "more": b""}}, r"columns \['more'\]"),
        ({"count": 2**60}, "samples of it have"),
        ({"first_seq": 2**62}, "is beyond"),
        ({"count": 0}, "0 samples of it have 0"),
        ({"schema": msgspec.structs.replace(SCHEMA, fields=())}, "no bytes"),
        ({"schema": msgspec.structs.replace(SCHEMA, fields=SCHEMA.fields * 2)}, "column 'episode'"),
    ],
)
def test_a_malformed_batch_is_refused_and_leaves_nothing_behind(server, change, reason):
    reply = ask(server, msgspec.structs.replace(push(0, 2), **change))
    assert isinstance(reply, Refused)
    assert not reply.retry
    assert re.search(reason, reply.reason)
    status = ask(server, AskStatus())
    assert (status.samples, status.workers) == (0, [])
    assert ask(server, push(0, 1, schema=OTHER, columns=to_columns(np.zeros(1, OTHER.dtype)))).next_seq == 1


@pytest.mark.parametrize("dtype", ["|O", "O", "<U4", "<f8,<f8", "(3,)<f8", "<f99", "nonsense", "", "<f8\n"])
def test_a_schema_of_anything_but_numbers_is_refused(server, dtype):
    field = msgspec.structs.replace(SCHEMA.fields[0], dtype=dtype)
    reply = ask(server, push(0, 1, schema=msgspec.structs.replace(SCHEMA, fields=(field,)), columns={}))
    assert "column 'episode' of the schema cannot be" in reply.reason


def test_a_full_queue_puts_off_and_a_release_makes_room(make_server):
    server = make_server(max_queued_samples=100)
    assert ask(server, push(0, 300)).next_seq == 300  # an empty queue takes anything
    reply = ask(server, push(300, 1))
    assert reply.retry
    assert reply.reason.startswith("the queue is full: 300 samples, ")
    assert ask(server, push(250, 50)).next_seq == 300  # nothing new
    assert ask(server, push(0, 0)).next_seq == 300
    assert ask(server, Release(trainer="trainer", position=300)) == Released()
    assert ask(server, push(300, 60)).next_seq == 360
    assert ask(server, push(360, 60)).retry
    assert ask(server, AskStatus()).queued == 60


def test_a_queue_full_of_bytes_puts_off(make_server):
    server = make_server(max_queued_bytes=3000)
    replies = [ask(server, push(10 * number, 10)) for number in range(10)]
    assert isinstance(replies[0], Pushed)
    assert isinstance(replies[9], Refused)
    assert replies[9].retry
    assert ask(server, AskStatus()).queued_bytes <= 3000 + 500


def test_what_is_released_is_gone(server):
    ask(server, push(0, 10))
    ask(server, push(10, 10))
    ask(server, Release(trainer="trainer", position=13))
    assert samples(ask(server, take(13))) == [("robot", "b1", seq) for seq in range(13, 20)]
    assert ask(server, Release(trainer="trainer", position=5)) == Released()
    for request, words in (
        (take(12), "from position 12 on are wanted, and those below 13 are gone"),
        (take(21), "from position 21 on are wanted, and they end at 20"),
        (Release(trainer="trainer", position=21), "position 21 is released, and samples end at 20"),
    ):
        reply = ask(server, request)
        assert words in reply.reason
        assert not reply.retry


def test_there_is_one_trainer_until_it_is_silent_for_long(server, clock, make_server):
    assert ask(server, AskStatus()).trainer is None
    ask(server, take(0, trainer="a"))
    clock.now += 59
    for request in (take(0, trainer="b"), Release(trainer="b", position=0), publish(1, trainer="b")):
        reply = ask(server, request)
        assert reply.retry
        assert reply.reason.startswith("a is the trainer, heard of 59 s ago; b may take over")
    server.close()
    server = make_server()  # it is remembered, and has as long again
    clock.now += 59
    assert isinstance(ask(server, take(0, trainer="b")), Refused)
    clock.now += 2
    assert ask(server, AskStatus()).trainer is None
    assert isinstance(ask(server, take(0, trainer="b")), Taken)
    assert isinstance(ask(server, take(0, trainer="a")), Refused)
    assert ask(server, AskStatus()).trainer == "b"


def test_a_trainer_that_is_refused_does_not_get_the_role(server):
    ask(server, push(0, 1))
    ask(server, take(0, trainer="a", schema=OTHER))
    ask(server, take(9, trainer="a"))
    ask(server, publish(1, trainer="a", inside=2))
    assert ask(server, AskStatus()).trainer is None


def test_versions_of_the_weights_grow(server, make_server):
    assert ask(server, publish(0)) == Published()
    request = publish(5)
    assert ask(server, request) == Published()
    assert ask(server, request) == Published()  # once more: the answer was lost
    for request, words in (
        (publish(4), "version 4 of the weights comes after version 5"),
        (publish(7, inside=6), "version 7 is published with a policy file of version 6"),
        (msgspec.structs.replace(publish(7), weights=b"nonsense"), "not a policy file"),
        (publish(2**63), "is beyond"),
    ):
        assert words in ask(server, request).reason
    server.close()
    server = make_server()
    assert ask(server, AskStatus()).version == 5
    reply = ask(server, push(0, 0, have_version=4))
    assert PolicyWeights.from_bytes(reply.weights).version == 5
    assert ask(server, take(0)).version == 5


def test_one_worker_too_many_is_refused(make_server, clock):
    server = make_server(max_workers=2)
    for worker in "ab":
        ask(server, push(0, 1, worker=worker))
    reply = ask(server, push(0, 1, worker="c"))
    assert "max_workers is 2" in reply.reason
    assert reply.retry
    clock.now += 61
    assert ask(server, push(0, 1, worker="c")).next_seq == 1
    assert [worker.seen_s_ago for worker in ask(server, AskStatus()).workers] == [61, 61, 0]


def test_a_folder_has_one_server_and_one_run(server, make_server):
    with pytest.raises(ProtocolError, match="is in use by another server"):
        make_server()
    server.close()
    server.close()
    reply = ask(server, push(0, 1))
    assert (reply.reason, reply.retry) == ("the server is ending", True)
    with pytest.raises(ProtocolError, match="is of run 'run', and this is 'other'"):
        make_server(run="other")
    assert ask(make_server(), push(0, 1)).next_seq == 1


def test_a_folder_with_a_part_missing_is_refused(server, make_server, tmp_path):
    for number in range(40):
        ask(server, push(10 * number, 10))
    ask(server, Release(trainer="trainer", position=400))
    server.close()
    ledger = tmp_path / "server" / "ledger.msgpack"
    kept = ledger.read_bytes()
    ledger.unlink()
    with pytest.raises(ProtocolError, match="the ledger ends at position 0"):
        make_server()
    ledger.write_bytes(kept)
    shutil.rmtree(tmp_path / "server" / "journal")
    with pytest.raises(ProtocolError, match="the ledger ends at position 400"):
        make_server()


def test_starting_again_reads_one_file_of_the_journal_at_most(server, make_server, tmp_path):
    for number in range(40):
        ask(server, push(10 * number, 10))
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "server", copy)
    oldest = min((copy / "journal").glob("*.v1"))
    oldest.write_bytes(oldest.read_bytes()[:-1] + b"?")
    again = make_server(copy)
    assert ask(again, AskStatus()).samples == 400
    assert "is damaged at byte" in ask(again, take(0)).reason


def test_nothing_is_deleted_as_long_as_the_ledger_cannot_be_written(server, make_server, tmp_path):
    in_the_way = tmp_path / "server" / f".ledger.msgpack.{os.getpid()}"
    in_the_way.mkdir()
    for number in range(40):
        reply = ask(server, push(10 * number, 10))
        if isinstance(reply, Refused):
            assert (reply.reason, reply.retry) == ("the server's disk: Is a directory", True)
    assert ask(server, AskStatus()).samples == 400  # taken in, if not acknowledged: they would come again
    assert ask(server, Release(trainer="trainer", position=400)).retry
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "server", copy)
    in_the_way.rmdir()
    (copy / in_the_way.name).rmdir()
    again = make_server(copy)
    assert ask(again, push(0, 400)).next_seq == 400
    assert len(samples(ask(again, take(0)))) == 400


def test_what_a_killed_process_left_is_cleared_away(server, make_server, tmp_path):
    server.close()
    left = [tmp_path / "server" / ".ledger.msgpack.123", tmp_path / "server/journal/.released.123"]
    for path in left:
        path.touch()
    make_server()
    assert not any(path.exists() for path in left)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_answered(shared_server, data):
    assert isinstance(decode_reply(shared_server.handle(data)), Refused)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_change_to_a_request_is_answered(shared_server, data):
    request = data.draw(st.sampled_from([push(0, 2), take(0), Release(trainer="t", position=0), publish(1)]))
    encoded = bytearray(encode(request))
    for _ in range(data.draw(st.integers(1, 4))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    reply = shared_server.handle(bytes(encoded[: data.draw(st.integers(0, len(encoded)))]))
    assert decode_reply(reply) is not None
    assert isinstance(ask(shared_server, AskStatus()).samples, int)


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("shared"), ServerConfig(), "run")
    yield server
    server.close()


moves = st.one_of(
    st.tuples(st.just("push"), st.sampled_from("ab"), st.sampled_from("xy"), st.integers(-30, 20), st.integers(0, 25)),
    st.tuples(st.just("crash"), st.integers(0, 400)),
    st.tuples(st.just("end")),
    st.tuples(st.just("release"), st.integers(0, 300)),
    st.tuples(st.just("take"), st.integers(0, 300), st.integers(0, 3000)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(moves, max_size=30))
def test_nothing_acknowledged_is_lost_or_there_twice_whatever_happens(story):
    """Against a model: the list of all samples taken in, the next sequence numbers, and the released position."""
    config, queue, nexts, released, duplicates = ServerConfig(), [], {}, 0, 0
    with tempfile.TemporaryDirectory() as base:
        generation = itertools.count()

        def open_server():
            return Server(Path(base, str(next(generation))), config, "run", Clock(), segment_bytes=1500)

        server = open_server()
        for move, *values in story:
            if move == "push":
                worker, boot, shift, count = values
                next_seq = nexts.setdefault((worker, boot), 0)
                first = max(0, next_seq + shift)  # overlaps, is a retry, or leaves a gap
                reply = ask(server, push(first, count, worker, boot))
                queue += [(worker, boot, seq) for seq in range(max(first, next_seq), first + count)]
                if count:
                    nexts[worker, boot] = max(next_seq, first + count)
                duplicates += max(0, min(next_seq - first, count))
                assert reply.next_seq == nexts[worker, boot]
            elif move in ("crash", "end"):
                if move == "end":
                    server.close()
                here = server._folder
                copy = here.parent / str(int(here.name) + 1)
                shutil.copytree(here, copy)  # what SIGKILL leaves: the files as they are
                if move == "crash":
                    unfinished = encode(push(0, 1))[: values[0]]
                    newest = max((copy / "journal").glob("*.v1"))
                    with newest.open("ab") as file:
                        file.write(b"\xff\xff\xff\x7f" + unfinished)
                    server.close()
                server = open_server()
            elif move == "release":
                position = min(values[0], len(queue))
                released = max(released, position)
                assert ask(server, Release(trainer="t", position=position)) == Released()
            else:
                position = max(released, min(values[0], len(queue)))
                found = samples(ask(server, take(position, "t", max_bytes=values[1])))
                assert found == queue[position : position + len(found)]
                assert found or position == len(queue)
            status = ask(server, AskStatus())
            assert (status.samples, status.queued) == (len(queue), len(queue) - released)
            assert sum(worker.samples for worker in status.workers) == len(queue)
            assert sum(worker.samples + worker.dropped for worker in status.workers) == sum(nexts.values())
        assert samples(ask(server, take(released, "t"))) == queue[released:]
        server.close()


def test_many_threads_push_and_take(make_server):
    server = make_server(segment_bytes=20_000)
    failures = []

    def work(worker):
        try:
            for first in range(0, 500, 10):
                overlap = min(first, 5)
                assert ask(server, push(first - overlap, 10 + overlap, worker)).next_seq == first + 10
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    found = []
    while any(thread.is_alive() for thread in threads) or len(found) < 2000:
        found += samples(ask(server, take(len(found), max_bytes=5000)))
        if not any(thread.is_alive() for thread in threads) and failures:
            break
    for thread in threads:
        thread.join()
    assert not failures
    assert len(found) == len(set(found)) == 2000


def test_memory_and_disk_stay_bounded_over_many_pushes(make_server, tmp_path):
    server = make_server(segment_bytes=200_000)
    seq = 0

    def use(rounds):
        nonlocal seq
        for number in range(rounds):
            assert ask(server, push(seq, 100)).next_seq == seq + 100
            seq += 100
            if number % 50 == 0:
                assert ask(server, take(seq - 100)).end == seq
                ask(server, Release(trainer="trainer", position=seq))

    use(300)
    tracemalloc.start()
    use(300)
    before, _ = tracemalloc.get_traced_memory()
    use(2000)
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 50_000
    assert peak < 3_000_000
    assert sum(path.stat().st_size for path in (tmp_path / "server").rglob("*")) < 2_000_000
