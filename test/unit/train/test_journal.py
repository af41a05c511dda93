import resource
import shutil
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.server.journal import Journal

BYTES = 3  # of a sample here


def columns(first, count):
    """Samples that can be told apart."""
    return {"a": b"".join(number.to_bytes(2, "big") for number in range(first, first + count)), "b": b"x" * count}


def append(journal, count):
    """Append samples whose numbers are their positions."""
    return journal.append("robot", "boot", journal.end, count, columns(journal.end, count))


def numbers(batches):
    """Return the numbers of the samples, after a look at what is told about them."""
    found = []
    for batch in batches:
        first = int.from_bytes(batch.columns["a"][:2], "big")
        assert batch.columns == columns(first, batch.count)
        assert batch.position == batch.first_seq == first
        found += range(first, first + batch.count)
    return found


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal", segment_bytes=300)
    yield journal
    journal.close()


def files(journal):
    return sorted((journal._folder).glob("*.v1"))


def reopened(journal, **options):
    journal.close()
    return Journal(journal._folder, **{"segment_bytes": 300, **options})


def test_what_is_appended_can_be_read_from_any_position_and_again_after_opening(journal):
    assert [append(journal, count) for count in (3, 1, 10, 7)] == [0, 3, 4, 14]
    again = reopened(journal)
    for position in range(22):
        assert numbers(again.read(position, 10**6)) == list(range(position, 21))
    assert again.end == again.queued_samples == 21
    again.close()


def test_a_read_is_bounded_but_brings_something(journal):
    for _ in range(30):
        append(journal, 5)
    size = journal.queued_bytes // 30
    assert numbers(journal.read(0, 0)) == list(range(5))
    assert numbers(journal.read(7, 1)) == [7, 8, 9]
    assert 40 <= len(numbers(journal.read(0, 10 * size))) <= 55
    assert numbers(journal.read_all(2)) == list(range(2, 150))


@pytest.mark.parametrize("position", [-1, 4])
def test_a_position_that_is_not_there_is_an_error(journal, position):
    append(journal, 3)
    with pytest.raises(ValueError, match=f"position {position} is not within 0 and 3"):
        journal.read(position, 1)


def test_an_empty_batch_and_a_release_beyond_the_end_are_errors(journal):
    with pytest.raises(ValueError, match="at least one"):
        append(journal, 0)
    with pytest.raises(ValueError, match="beyond the end 0"):
        journal.release(1)


def test_released_files_are_deleted_as_a_whole_and_positions_go_on(journal):
    for _ in range(30):
        append(journal, 5)
    assert len(files(journal)) > 5
    on_disk = sum(path.stat().st_size for path in files(journal))
    assert journal.queued_bytes == on_disk
    journal.release(72)
    assert journal.begin <= 72
    assert 0 < journal.queued_bytes < on_disk * 0.6
    assert files(journal)[0].name == f"{journal.begin:020d}.v1"
    journal.release(10)  # an old one
    assert (journal.released, journal.queued_samples) == (72, 78)
    journal.release(150)
    assert (len(files(journal)), journal.queued_bytes, journal.queued_samples) == (1, 0, 0)
    again = reopened(journal)
    assert (again.released, again.end, again.queued_bytes) == (150, 150, 0)
    assert append(again, 2) == 150
    assert numbers(again.read(150, 10**6)) == [150, 151]
    again.close()


def test_an_entry_that_was_not_written_to_its_end_is_cut_off_wherever_it_ends(journal, tmp_path):
    for count in (3, 1, 4):
        append(journal, count)
    kept = files(journal)[-1].stat().st_size
    append(journal, 20)
    whole = files(journal)[-1].read_bytes()
    journal.close()
    for length in range(kept, len(whole)):
        copy = tmp_path / f"copy{length}"
        shutil.copytree(journal._folder, copy)
        (copy / files(journal)[-1].name).write_bytes(whole[:length])
        torn = Journal(copy, segment_bytes=10**6)
        assert torn.end == 8
        assert torn.append("robot", "boot", 8, 2, columns(8, 2)) == 8
        assert numbers(torn.read(0, 10**6)) == list(range(10))
        torn.close()
        again = Journal(copy)
        assert numbers(again.read(0, 10**6)) == list(range(10))
        again.close()


def test_zeros_at_the_end_are_cut_off(journal):
    append(journal, 3)
    journal.close()
    with files(journal)[-1].open("ab") as file:
        file.write(bytes(5000))
    again = Journal(journal._folder)
    assert numbers(again.read(0, 10**6)) == [0, 1, 2]
    assert files(journal)[-1].stat().st_size == again.queued_bytes
    again.close()


def test_damage_in_the_middle_is_told_and_nothing_is_thrown_away(journal):
    append(journal, 3)
    append(journal, 3)
    journal.close()
    data = bytearray(files(journal)[0].read_bytes())
    data[30] ^= 1
    files(journal)[0].write_bytes(data)
    with pytest.raises(ProtocolError, match=r"v1 is damaged at byte 0"):
        Journal(journal._folder)
    assert files(journal)[0].read_bytes() == data


def test_damage_in_an_older_file_is_told_when_it_is_read(journal):
    for _ in range(10):
        append(journal, 20)
    journal.close()
    oldest = files(journal)[0]
    oldest.write_bytes(oldest.read_bytes()[:-1] + b"?")
    again = Journal(journal._folder)
    with pytest.raises(ProtocolError, match=f"{oldest.name} is damaged at byte"):
        list(again.read_all(0))
    again.close()
    oldest.write_bytes(oldest.read_bytes()[:-1])
    with pytest.raises(ProtocolError, match=f"{oldest.name} is damaged"):
        Journal(journal._folder)


def test_a_missing_file_is_told(journal):
    for _ in range(10):
        append(journal, 20)
    journal.close()
    files(journal)[1].unlink()
    with pytest.raises(ProtocolError, match="begins elsewhere"):
        Journal(journal._folder)


@pytest.mark.parametrize("limit", range(140, 175, 7))
def test_a_full_disk_leaves_the_journal_as_it_was(journal, limit):
    append(journal, 10)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))  # a write up to there, then EFBIG
    try:
        with pytest.raises(OSError, match="too large"):
            append(journal, 100)
        with pytest.raises(OSError, match="too large"):
            append(journal, 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert journal.end == 10
    append(journal, 5)
    again = reopened(journal)
    assert numbers(again.read(0, 10**6)) == list(range(15))
    again.close()


def test_sync_writes_the_same(tmp_path):
    journal = Journal(tmp_path / "journal", segment_bytes=300, sync=True)
    for _ in range(10):
        append(journal, 10)
    again = reopened(journal, sync=True)
    assert numbers(again.read_all(0)) == list(range(100))
    again.close()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(1, 30)),
            st.tuples(st.just("read"), st.integers(0, 500), st.integers(0, 2000)),
            st.tuples(st.just("release"), st.integers(0, 500)),
            st.tuples(st.just("crash"), st.binary(max_size=30)),
        ),
        max_size=25,
    )
)
def test_any_use_of_it_is_a_list(moves):
    """Against a model: how many samples there are, and below which position they are released."""
    end = released = 0
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder), segment_bytes=200)
        for move, *values in moves:
            if move == "append":
                assert append(journal, values[0]) == end
                end += values[0]
            elif move == "read":
                position = max(released, min(values[0], end))
                found = numbers(journal.read(position, values[1]))
                assert found == list(range(position, position + len(found)))
                assert found or position == end
                assert numbers(journal.read_all(position)) == list(range(position, end))
            elif move == "release":
                released = max(released, min(values[0], end))
                journal.release(min(values[0], end))
            else:
                journal.close()
                with files(journal)[-1].open("ab") as file:
                    file.write(b"\xff\xff" + values[0])  # what was being written
                journal = Journal(Path(folder), segment_bytes=200)
            assert (journal.end, journal.released, journal.queued_samples) == (end, released, end - released)
            on_disk = sum(path.stat().st_size for path in files(journal))
            assert 0 <= journal.queued_bytes <= on_disk
            assert (journal.queued_bytes == 0) == (end == released)
        journal.close()


def test_memory_and_disk_stay_bounded(tmp_path):
    journal = Journal(tmp_path / "journal", segment_bytes=100_000)
    batch = {"a": bytes(11_000)}

    def use(rounds):
        for _ in range(rounds):
            position = journal.append("robot", "boot", journal.end, 100, batch)
            if position % 10_000 == 0:
                assert journal.read(position, 10**6)
                journal.release(position)

    use(300)
    tracemalloc.start()
    use(300)
    before, _ = tracemalloc.get_traced_memory()
    use(3000)
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 50_000
    assert peak < 2_000_000
    assert sum(path.stat().st_size for path in files(journal)) < 2_500_000
    journal.close()
