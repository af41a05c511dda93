"""Ages by the publisher's own stamps, on exact times; what is too old or out of bounds; histories."""

import math

import numpy as np
import pytest

from rtgym_ros.contract.freshness.bounds_check import BoundsCheck
from rtgym_ros.contract.freshness.history import History
from rtgym_ros.contract.freshness.message_clock import MessageClock
from rtgym_ros.contract.freshness.outcome import Outcome
from rtgym_ros.contract.freshness.stale_check import StaleCheck

S = 1_000_000_000
MS = 1_000_000
NOW = 1_764_000_000 * S


def test_stamps_of_the_ros_epoch_are_compared_with_ros_time():
    clock = MessageClock()
    stamp = clock.receive(NOW - 30 * MS, NOW)
    assert clock.own_clock is False
    assert clock.age_ns(stamp, NOW + 20 * MS) == 50 * MS


def test_a_clock_of_its_own_counts_from_the_fastest_arrival():
    clock = MessageClock()
    first = clock.receive(7 * S, NOW + 5 * MS)
    assert clock.own_clock is True
    assert clock.age_ns(first, NOW + 5 * MS) == 0
    fastest = clock.receive(7 * S + 100 * MS, NOW + 102 * MS)  # 3 ms less on the way
    assert clock.age_ns(fastest, NOW + 102 * MS) == 0
    late = clock.receive(7 * S + 200 * MS, NOW + 250 * MS)
    assert clock.age_ns(late, NOW + 250 * MS) == 48 * MS
    assert clock.sampled_ns(late) == NOW + 202 * MS


def test_clocks_that_drift_apart():
    clock = MessageClock()
    clock.receive(0, NOW)
    # The robot's clock is slow by 1 ms a second: after two minutes the first arrival is long forgotten.
    for second in range(1, 121):
        stamp = clock.receive(second * 999 * MS, NOW + second * S)
    assert clock.age_ns(stamp, NOW + 120 * S) == 60 * MS


def test_a_counter_that_wraps():
    wraps = 2**32 * 1000
    clock = MessageClock(wraps)
    stamps = [clock.receive((wraps - 10 * MS + i * 20 * MS) % wraps, NOW + i * 20 * MS) for i in range(4)]
    assert np.diff(stamps).tolist() == [20 * MS] * 3
    assert clock.age_ns(stamps[-1], NOW + 60 * MS) == 0
    assert clock.receive((wraps + 15 * MS) % wraps, NOW + 70 * MS) == stamps[0] + 25 * MS  # one that was overtaken
    assert clock.restarts == 0


def test_a_publisher_that_begins_anew():
    clock = MessageClock()
    clock.receive(500 * S, NOW)
    stamp = clock.receive(S, NOW + 3 * S)
    assert clock.restarts == 1
    assert clock.age_ns(stamp, NOW + 3 * S) == 0
    # With a clock that had been set meanwhile.
    stamp = clock.receive(NOW + 4 * S, NOW + 4 * S + MS)
    assert clock.age_ns(stamp, NOW + 4 * S + MS) == 0


def test_messages_that_were_overtaken_change_nothing():
    clock = MessageClock()
    clock.receive(10 * S, NOW)
    late = clock.receive(10 * S - 500 * MS, NOW + MS)
    assert clock.restarts == 0
    assert clock.age_ns(late, NOW + MS) == 501 * MS


@pytest.mark.parametrize(
    ("max_age", "duration", "bound"), [(0.2, 0.05, 0.2), (None, 0.05, 1.0), (None, 0.5, 2.5), ("none", 0.05, math.inf)]
)
def test_the_oldest_that_is_allowed(max_age, duration, bound):
    assert StaleCheck(max_age, "fail", duration).max_age == bound


def test_what_is_too_old():
    check = StaleCheck(0.2, "truncate", 0.05)
    assert [check.check(age) for age in (0.2, 0.21, math.nan, -0.1)] == [
        Outcome.FINE, Outcome.TRUNCATE, Outcome.TRUNCATE, Outcome.FINE
    ]  # fmt: skip
    assert check.stale == 2
    assert check.message("pose", "/odom", 0.3) == "pose: the newest message on /odom is 0.3 s old; allowed: 0.2 s"
    assert check.message("pose", "/odom", math.nan) == "pose: no message on /odom yet"


LOW, HIGH = np.array([-1, -2], np.float32), np.array([1, 2], np.float32)


@pytest.mark.parametrize(
    ("verb", "values", "expected", "outcome"),
    [
        ("warn", [1, -2], [1, -2], Outcome.FINE),
        ("warn", [3, 0], [3, 0], Outcome.WARN),
        ("clip", [3, -3], [1, -2], Outcome.FINE),
        ("truncate", [0, 3], [0, 3], Outcome.TRUNCATE),
        ("fail", [0, 3], [0, 3], Outcome.FAIL),
        ("warn", [math.nan, 0], [math.nan, 0], Outcome.FAIL),
        ("clip", [math.nan, 3], [math.nan, 3], Outcome.FAIL),
    ],
)
def test_out_of_bounds(verb, values, expected, outcome):
    check = BoundsCheck(LOW, HIGH, verb)
    result, told = check.check(np.array(values, np.float32))
    np.testing.assert_array_equal(result, expected)
    assert result.dtype == np.float32
    assert told is outcome
    assert check.outside == (values != [1, -2])


def test_which_value_is_out_of_bounds():
    check = BoundsCheck(LOW, HIGH, "fail")
    assert check.message("pose", np.array([0, 3], np.float32)) == "pose[1]: 3; allowed: -2 to 2"


def test_history():
    history = History(3, (2,), np.float32)
    assert history.reset(np.array([1, 2])).tolist() == [[1, 2]] * 3
    seen = history.append(np.array([3, 4]))
    assert seen.tolist() == [[1, 2], [1, 2], [3, 4]]
    assert history.append(np.array([5, 6])).tolist() == [[1, 2], [3, 4], [5, 6]]
    assert seen.tolist() == [[1, 2], [1, 2], [3, 4]]  # nobody's observation changes afterwards
