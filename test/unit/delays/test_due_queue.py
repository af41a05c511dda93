from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.delays.due_queue import DueQueue


def test_a_command_waits_until_it_is_due():
    queue = DueQueue()
    assert queue.offer(10, 1, 30, "a")
    assert queue.next_due == 30
    assert queue.take(29) is None
    assert queue.take(30) == (1, "a")
    assert queue.take(31) is None
    assert queue.next_due is None
    assert queue.late == 0


def test_a_late_command_is_applied_at_once_and_counted():
    queue = DueQueue()
    queue.offer(40, 1, 30, "a")
    assert queue.take(40) == (1, "a")
    assert queue.late == 1


def test_an_older_command_never_follows_a_newer_one():
    queue = DueQueue()
    queue.offer(0, 2, 20, "newer")
    queue.offer(5, 1, 10, "older")
    assert queue.take(10) == (1, "older")
    assert queue.take(20) == (2, "newer")
    assert not queue.offer(25, 1, 30, "older again")
    queue.offer(25, 4, 25, "d")
    queue.offer(25, 3, 25, "c")
    assert queue.take(25) == (4, "d")
    assert len(queue) == 0
    queue.clear()
    assert queue.offer(0, 1, 1, "another episode")


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=40))
def test_each_is_applied_at_its_due_time_or_when_it_comes_if_that_is_later(commands):
    """Command k is sent at k; ``commands`` has its delay on the way and its delay until due."""
    queue, applied = DueQueue(), []
    for now in range(len(commands) + 20):
        for stamp, (way, wait) in enumerate(commands):
            if stamp + way == now:
                queue.offer(now, stamp, stamp + wait, stamp)
        if (taken := queue.take(now)) is not None:
            applied.append((now, taken[1]))
    stamps = [stamp for _, stamp in applied]
    assert stamps == sorted(set(stamps))
    for now, stamp in applied:
        assert now == stamp + max(commands[stamp])
    # What was skipped was overtaken.
    for stamp, delays in enumerate(commands):
        if stamp not in stamps:
            assert any(s > stamp and s + max(commands[s]) <= stamp + max(delays) for s in stamps)
