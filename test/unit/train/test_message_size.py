import pytest

pytest.importorskip("nats")

from rtgym_ros.train.worker.uploader import FIRST_BYTES, LARGEST_BYTES, QUICK_S, next_limit


def test_full_messages_that_are_answered_soon_grow_to_the_largest():
    limits = [FIRST_BYTES]
    for _ in range(8):
        limits.append(next_limit(limits[-1], True, 0.01))
    assert limits[:4] == [FIRST_BYTES, 2 * FIRST_BYTES, 4 * FIRST_BYTES, 8 * FIRST_BYTES]
    assert limits[-1] == LARGEST_BYTES


def test_one_that_holds_all_there_is_and_one_that_takes_long_leave_it():
    assert next_limit(FIRST_BYTES, False, 0.01) == next_limit(FIRST_BYTES, True, QUICK_S) == FIRST_BYTES
