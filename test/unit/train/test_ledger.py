import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.train.errors import ProtocolError, RefusedError
from rtgym_ros.train.protocol.messages import Batch
from rtgym_ros.train.server import ledger as module
from rtgym_ros.train.server.ledger import Ledger


class Clock:
    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    return Ledger(tmp_path / "ledger", "run", clock)


def batch(ledger, first_seq, count, worker="robot", boot="b1", position=None):
    position = ledger.position if position is None else position
    return Batch(position=position, worker=worker, boot=boot, first_seq=first_seq, count=count, columns={})


def figures(ledger, worker="robot"):
    (found,) = [each for each in ledger.figures() if each.worker == worker]
    return found


def test_a_boot_begins_at_0_and_goes_on_behind_what_came(ledger):
    assert ledger.heard("robot", "b1", -1) == 0
    ledger.account(batch(ledger, 0, 10))
    assert ledger.heard("robot", "b1", 4) == 10
    assert ledger.heard("robot", "b2", 5) == 0
    assert ledger.heard("other", "b1", -1) == 0
    found = figures(ledger)
    assert (found.boots, found.samples, found.dropped, found.duplicates, found.have_version) == (2, 10, 0, 0, 5)


def test_a_gap_is_what_the_worker_dropped(ledger):
    ledger.account(batch(ledger, 5, 10))
    ledger.account(batch(ledger, 20, 1))
    assert (figures(ledger).samples, figures(ledger).dropped) == (11, 10)
    ledger.count_duplicates("robot", 3)
    assert figures(ledger).duplicates == 3


@pytest.mark.parametrize(("first_seq", "position"), [(9, 10), (10, 11), (10, 9)])
def test_a_batch_that_does_not_come_next_is_an_error(ledger, first_seq, position):
    ledger.account(batch(ledger, 0, 10))
    with pytest.raises(ProtocolError, match=f"sample {first_seq} of robot/b1 at position {position}"):
        ledger.account(batch(ledger, first_seq, 1, position=position))
    assert (ledger.position, figures(ledger).samples) == (10, 10)


def test_one_worker_too_many_is_refused_until_another_is_silent(ledger, clock):
    for worker in ("a", "b"):
        ledger.admit(worker, 2, 60.0)
        ledger.heard(worker, "b1", -1)
    with pytest.raises(RefusedError, match="worker c would be one too many: max_workers is 2, and there are a, b") as e:
        ledger.admit("c", 2, 60.0)
    assert e.value.retry
    clock.now += 30
    ledger.heard("b", "b1", -1)
    clock.now += 31
    ledger.admit("b", 2, 60.0)
    ledger.admit("c", 2, 60.0)
    ledger.heard("c", "b1", -1)
    with pytest.raises(RefusedError, match="worker a"):  # its place is taken
        ledger.admit("a", 2, 60.0)


def test_what_was_saved_is_there_again_and_ages_do_not_jump_with_the_clock(ledger, clock, tmp_path):
    ledger.heard("robot", "b1", 3)
    ledger.account(batch(ledger, 2, 10))
    clock.now += 5
    ledger.save()
    again = Ledger(tmp_path / "ledger", "run", Clock(7.0))
    assert again.position == again.saved == 12 - 2
    assert again.figures() == ledger.figures()
    assert figures(again).seen_s_ago == pytest.approx(5)
    assert again.heard("robot", "b1", 3) == 12


def test_another_run_and_damage_are_told(ledger, tmp_path, clock):
    ledger.save()
    with pytest.raises(ProtocolError, match="is of run 'run', and this is 'other'"):
        Ledger(tmp_path / "ledger", "other", clock)
    (tmp_path / "ledger").write_bytes(b"\x81\xa3run")
    with pytest.raises(ProtocolError, match="ledger is damaged"):
        Ledger(tmp_path / "ledger", "run", clock)


def test_old_boots_are_forgotten_but_not_the_latest_of_a_worker(ledger, clock):
    ledger.account(batch(ledger, 0, 10, boot="b1"))
    ledger.account(batch(ledger, 0, 10, boot="b2"))
    clock.now += module.FORGET_BOOT_S - 1
    assert ledger.heard("robot", "b2", -1) == 10
    assert ledger.heard("robot", "b1", -1) == 10
    clock.now += module.FORGET_BOOT_S + 1
    assert ledger.heard("robot", "b1", -1) == 10  # the latest, however long ago
    assert ledger.heard("robot", "b2", -1) == 0
    assert (figures(ledger).boots, figures(ledger).samples) == (3, 20)


def test_a_worker_that_boots_for_ever_does_not_fill_the_memory(ledger, monkeypatch):
    monkeypatch.setattr(module, "MAX_BOOTS", 10)
    for number in range(100):
        ledger.account(batch(ledger, 0, 1, boot=f"b{number}"))
    assert len(ledger._workers["robot"].boots) == 10
    assert ledger.heard("robot", "b99", -1) == 1
    assert ledger.heard("robot", "b90", -1) == 1
    assert figures(ledger).boots == 100


def test_huge_numbers_can_be_saved(ledger, tmp_path, clock):
    for number in range(5):
        ledger.account(batch(ledger, 2**62 - 1, 1, boot=f"b{number}"))
    ledger.save()
    assert figures(Ledger(tmp_path / "ledger", "run", clock)).dropped == 2**63


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 5), st.integers(1, 9))),
    st.data(),
)
def test_a_snapshot_and_what_came_after_it_make_the_same_ledger(tmp_path_factory, pushes, data):
    folder, clock = tmp_path_factory.mktemp("ledger"), Clock()
    ledger = Ledger(folder / "ledger", "run", clock)
    save_after = data.draw(st.integers(0, len(pushes)))
    later = []
    for number, (worker, boot, gap, count) in enumerate(pushes):
        entry = batch(ledger, ledger.heard(worker, boot, -1) + gap, count, worker, boot)
        ledger.account(entry)
        if number < save_after:
            ledger.save()
        else:
            later.append(entry)
    again = Ledger(folder / "ledger", "run", clock)
    for entry in later:
        again.account(entry)
    assert again.position == ledger.position == sum(count for *_, count in pushes)
    assert again.figures() == ledger.figures()
    for worker in "ab":
        nexts = [[each.heard(worker, boot, -1) for boot in "xy"] for each in (ledger, again)]
        assert nexts[0] == nexts[1]
        assert sum(nexts[0]) == figures(ledger, worker).samples + figures(ledger, worker).dropped
