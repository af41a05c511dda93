"""The ring: against a model, and with a writer and a reader in two processes."""

import os
import shutil
import signal
import subprocess
import sys
from collections import deque
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.protocol.schema import make_schema
from rtgym_ros.train.worker import ring_folder
from rtgym_ros.train.worker.ring_file import WEIGHTS_ROOM, Word
from rtgym_ros.train.worker.ring_folder import RingFolder
from rtgym_ros.train.worker.sample_ring import RingReader

IMAGE = (64, 64, 3)
SCHEMA = make_schema(
    spaces.Tuple((spaces.Box(-1, 1, (3,), np.float32), spaces.Box(0, 255, IMAGE, np.uint8))), spaces.Box(-1, 1, (2,))
)
SMALL = make_schema(spaces.Box(-1, 1, (3,), np.float32), spaces.Discrete(5))


def sample(number, image=True):
    """Return the values of a record that are all made of one number."""
    head = (number, number % 100, False, number % 2 == 0, True, False, False, -1, number, 3, number / 2, -float(number))
    if not image:
        return (*head, number % 5, number % 5, np.full(3, number, np.float32))
    leaves = np.full(2, number), np.full(2, number), np.full(3, number), np.full(IMAGE, number % 251, np.uint8)
    return (*head, *leaves)


def check(records, first_seq):
    """Check that records are whole: all of each is made of its number."""
    numbers = np.arange(first_seq, first_seq + len(records))
    assert (records["episode"] == numbers).all()
    assert (records["stamp_ns"] == numbers).all()
    assert (records["episode_return"] == -numbers).all()
    if "action" in records.dtype.names and records["action"].ndim > 1:
        assert (records["action"] == numbers[:, None].astype(np.float32)).all()
        assert (records["observation/1"] == (numbers % 251)[:, None, None, None]).all()


@pytest.fixture
def folder(tmp_path):
    rings = RingFolder(tmp_path)
    yield rings
    for path in rings.paths():
        rings.remove(path)


@pytest.fixture
def ends(folder):
    """Return a function that makes a ring and opens both ends."""
    opened = []

    def make(capacity, schema=SCHEMA):
        writer = folder.create(schema, capacity)
        reader = RingReader.open(folder.paths()[-1])
        opened.extend((reader, writer))
        return writer, reader

    yield make
    for end in opened:
        end.close()


def test_what_is_written_is_read_and_stays_until_it_is_acknowledged(ends):
    writer, reader = ends(10)
    assert reader.read(5)[1].shape == (0,)
    for number in range(7):
        writer.append(sample(number))
    for _ in range(2):
        first_seq, records = reader.read(5)
        assert (first_seq, len(records), reader.unread) == (0, 5, 7)
        check(records, 0)
    reader.acknowledge(5, 0)
    first_seq, records = reader.read(5)
    assert (first_seq, len(records), reader.dropped) == (5, 2, 0)
    assert reader.schema == SCHEMA
    assert reader.boot == writer.boot


def test_a_full_ring_gives_up_the_oldest_and_counts_them(ends):
    writer, reader = ends(10)
    for number in range(25):
        writer.append(sample(number))
    first_seq, records = reader.read(100)
    assert (first_seq, len(records), reader.dropped, reader.dropped_before(first_seq)) == (15, 10, 15, 15)
    check(records, 15)
    reader.acknowledge(25, first_seq)
    assert (reader.dropped, reader.unread, reader.acknowledged) == (15, 0, 25)


def test_what_was_read_before_it_was_overwritten_is_not_dropped(ends):
    writer, reader = ends(4)
    for number in range(4):
        writer.append(sample(number))
    first_seq, records = reader.read(4)
    writer.append(sample(4))
    assert reader.dropped == 1, "as long as nobody has the samples for sure"
    reader.acknowledge(4, first_seq)
    assert reader.dropped == 0
    check(records, 0)


def test_acknowledging_backwards_or_beyond_does_no_harm(ends):
    writer, reader = ends(4)
    for number in range(3):
        writer.append(sample(number))
    reader.acknowledge(2, 0)
    reader.acknowledge(1, 0)
    assert reader.acknowledged == 2
    reader.acknowledge(99, 2)
    assert reader.acknowledged == 3


def test_a_record_that_is_overwritten_while_it_is_copied_is_not_handed_out(ends, monkeypatch):
    writer, reader = ends(4)
    for number in range(4):
        writer.append(sample(number))
    real = np.empty

    def overwrite(*args):
        """The reader has decided what to copy: now the writer goes on."""
        monkeypatch.setattr(np, "empty", real)
        writer.append(sample(4))
        writer.append(sample(5))
        return real(*args)

    monkeypatch.setattr(np, "empty", overwrite)
    first_seq, records = reader.read(4)
    assert (first_seq, len(records)) == (2, 2)
    check(records, 2)


def test_a_record_that_is_being_written_is_not_handed_out(ends):
    writer, reader = ends(4)
    for number in range(6):
        writer.append(sample(number))
    words = writer.words  # as if the writer was killed in the middle of a record
    words[Word.OLDEST] = words[Word.WRITTEN] - 3
    writer.records["stamp_ns"][6 % 4] = 999
    first_seq, records = reader.read(4)
    assert (first_seq, len(records)) == (3, 3)
    check(records, 3)


def test_an_array_of_the_wrong_shape_is_refused(ends):
    writer, reader = ends(4)
    with pytest.raises(ValueError, match="observation/1 must have the shape"):
        writer.append((*sample(0)[:-1], np.zeros((3, 64, 64), np.uint8)))
    with pytest.raises(ValueError, match="zip"):
        writer.append(sample(0)[:-1])
    assert reader.unread == 0


moves = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 9)),
        st.tuples(st.just("read"), st.integers(1, 9)),
        st.tuples(st.just("again"), st.integers(1, 9)),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=40,
)


@settings(max_examples=60)
@given(st.integers(1, 7), moves)
def test_any_use_is_that_of_a_deque(tmp_path_factory, capacity, flight):
    """``read`` acknowledges what it got, ``again`` does not; ``reopen`` is a new link process."""
    rings = RingFolder(tmp_path_factory.mktemp("ring"))
    writer = rings.create(SMALL, capacity)
    path = rings.paths()[0]
    reader = RingReader.open(path)
    model, acknowledged, written, delivered = deque(maxlen=capacity), 0, 0, 0
    try:
        for move, count in flight:
            if move == "append":
                for _ in range(count):
                    writer.append(sample(written, image=False))
                    model.append(written)
                    written += 1
            elif move == "reopen":
                reader.close()
                reader = RingReader.open(path)
            else:
                expected = [number for number in model if number >= acknowledged][:count]
                first_seq, records = reader.read(count)
                assert records["stamp_ns"].tolist() == expected
                check(records, first_seq)
                if move == "read" and expected:
                    acknowledged = expected[-1] + 1
                    delivered += len(expected)
                    reader.acknowledge(acknowledged, first_seq)
            waiting = sum(number >= acknowledged for number in model)
            assert reader.unread == waiting
            assert reader.acknowledged == acknowledged
            assert reader.dropped + delivered + waiting == written
    finally:
        reader.close()
        writer.close()
        rings.remove(path)


def test_the_end_of_a_writer_is_seen(ends):
    writer, reader = ends(4)
    writer.append(sample(0))
    assert not reader.is_over()
    writer.close()
    writer.close()
    assert reader.is_over()
    assert reader.unread == 1


def test_weights_reach_the_writer_whole_or_not_at_all(ends):
    writer, reader = ends(4)
    assert writer.weights_version == -1
    reader.put_weights(7, b"seven")
    assert (writer.weights_version, writer.read_weights()) == (7, b"seven")
    reader.put_weights(8, b"eight!")
    assert (writer.weights_version, writer.read_weights()) == (8, b"eight!")

    class PutWhileReading:
        def __getitem__(self, part):
            writer.weights = weights
            reader.put_weights(9, b"nine")
            return weights[part]

    weights, writer.weights = writer.weights, PutWhileReading()
    assert writer.read_weights() is None  # it may be torn: it is read again
    assert writer.read_weights() == b"nine"
    with pytest.raises(ProtocolError, match="room for 67108864"):
        reader.put_weights(10, bytes(WEIGHTS_ROOM + 1))


def test_a_control_process_that_crashes_again_and_again_does_not_fill_the_memory(folder, caplog):
    for _ in range(20):
        writer = folder.create(SMALL, 4)
        writer.append(sample(0, image=False))
        writer.close()
    paths = folder.paths()
    assert len(paths) == 16
    reader = RingReader.open(paths[-1])
    assert reader.dropped == 1  # the sample of the ring that had to go for this one
    reader.close()
    assert "1 samples of earlier boots are given up" in caplog.text
    for path in paths:
        folder.remove(path)


def test_what_killed_programs_and_deleted_runs_leave_in_memory_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(ring_folder, "_YOUNG_S", 0.0)
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(ring_folder, "_RAM", memory)
    kept, deleted = RingFolder(tmp_path / "kept"), RingFolder(tmp_path / "deleted")
    writers = [kept.create(SMALL, 4), deleted.create(SMALL, 4)]
    used = RingFolder(tmp_path / "used")
    writers.append(used.create(SMALL, 4))  # open: a run that is going on, wherever its folder is
    orphan = deleted.paths()[0].resolve()
    half_made = memory / "rtgym_ros-half-made"
    half_made.write_bytes(b"")
    for writer in writers[:2]:
        writer.close()
    shutil.rmtree(tmp_path / "deleted")
    shutil.rmtree(tmp_path / "used")
    before = set(memory.iterdir())
    ring_folder.remove_orphans()
    assert before - set(memory.iterdir()) == {orphan, half_made}
    assert kept.paths()[0].resolve().exists()
    writers[2].close()


def test_rings_are_listed_oldest_first_and_removed_with_their_memory(folder):
    writers = [folder.create(SMALL, 4) for _ in range(3)]
    paths = folder.paths()
    assert [path.stem for path in paths] == [writer.boot for writer in writers]
    memory = paths[0].resolve()
    assert memory.stat().st_mode & 0o777 == 0o600
    for path, writer in zip(paths, writers, strict=True):
        writer.close()
        folder.remove(path)
    assert folder.paths() == []
    assert not memory.exists()


def test_without_room_in_ram_it_is_a_file_and_without_any_an_error(folder, monkeypatch):
    monkeypatch.setattr(ring_folder, "_RAM", Path("/no/memory"))
    folder.create(SMALL, 4).close()
    assert folder.paths()[0].resolve().parent == folder.paths()[0].parent.resolve()
    with pytest.raises(ConfigError, match=r"worker\.buffer_samples: 1000000000000000 samples take .* GB"):
        folder.create(SMALL, 10**15)
    assert len(folder.paths()) == 1
    assert len(list(folder.paths()[0].parent.iterdir())) == 2, "the ring, and what leads to it"


@pytest.mark.parametrize("data", [b"", b"x" * 100, b"x" * 5000, b"rtgymrng" + b"\0" * 5000])
def test_what_is_no_ring_is_refused(tmp_path, data):
    path = tmp_path / "other"
    path.write_bytes(data)
    with pytest.raises(ProtocolError, match="not a sample ring"):
        RingReader.open(path)


WRITE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_sample_ring import SCHEMA, sample
from rtgym_ros.train.worker.ring_folder import RingFolder
ring = RingFolder(Path(sys.argv[1])).create(SCHEMA, int(sys.argv[3]))
samples = [sample(number) for number in range(2000)]
print("ready", flush=True)
number = 0
while True:
    head = (number, 0, False, False, True, False, False, -1, number, 3, 0.0, -float(number))
    ring.append((*head, *samples[number % 251][-4:]))
    number += 1
"""


@pytest.mark.parametrize("capacity", [3, 50, 1000])
def test_a_writer_that_is_killed_while_we_read(tmp_path, folder, capacity):
    """As fast as it can it overwrites what is being read; then it is killed, wherever it is."""
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITE, str(tmp_path), os.path.dirname(__file__), str(capacity)],
            stdout=subprocess.PIPE,
        )
        try:
            process.stdout.readline()
            path = folder.paths()[-1]
            reader = RingReader.open(path)
            assert not reader.is_over()
            delivered = 0
            while reader.written < 20_000:
                delivered += _read_some(reader)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
        assert reader.is_over()
        while reader.unread:
            delivered += _read_some(reader)
        assert delivered + reader.dropped == reader.written
        assert delivered > 0
        reader.close()


def _read_some(reader):
    first_seq, records = reader.read(40)
    numbers = np.arange(first_seq, first_seq + len(records))
    assert (records["stamp_ns"] == numbers).all()
    assert (records["episode_return"] == -numbers).all()
    of_image = numbers % 251
    assert (records["action"] == of_image[:, None]).all()
    assert (records["observation/1"] == of_image[:, None, None, None]).all()
    if len(records):
        reader.acknowledge(first_seq + len(records), first_seq)
    return len(records)
