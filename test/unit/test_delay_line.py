import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.delays.profiles import UniformDelays
from rtgym_ros.robots.delay_line import DelayLine, Newest, lossy

MS = 1_000_000


def line(delay_min=0.02, delay_max=0.05, seed=0, loss=0.0):
    rng = np.random.default_rng(seed)
    return DelayLine(lossy(UniformDelays(delay_min, delay_max).draws_ns(rng), loss, rng))


def test_a_constant_delay_is_exact():
    link = line(0.02, 0.02)
    link.send(5, "hello")
    assert link.next_arrival_ns == 20 * MS + 5
    assert list(link.arrivals(20 * MS + 4)) == []
    assert list(link.arrivals(20 * MS + 5)) == ["hello"]


def test_a_message_arrives_once():
    link = line(0.0, 0.0)
    link.send(0, "hello")
    assert list(link.arrivals(0)) == ["hello"]
    assert list(link.arrivals(10**12)) == []
    assert link.next_arrival_ns is None


def test_ties_arrive_in_the_order_of_sending():
    link = line(0.02, 0.02)
    for message in ({"b": 1}, {"a": 2}, {"c": 0}):  # dictionaries have no order of their own
        link.send(0, message)
    assert list(link.arrivals(20 * MS)) == [{"b": 1}, {"a": 2}, {"c": 0}]


def arrival_times(link):
    while link.next_arrival_ns is not None:
        now_ns = link.next_arrival_ns
        for message in link.arrivals(now_ns):
            yield now_ns, message


@given(st.integers(0, 2**32), st.lists(st.integers(0, 30 * MS), min_size=1, max_size=50))
def test_every_message_arrives_within_the_delays_in_order(seed, gaps):
    link = line(seed=seed)
    sent = np.cumsum(gaps).tolist()
    for now_ns in sent:
        link.send(now_ns, now_ns)
    arrived = list(arrival_times(link))
    assert all(20 * MS <= at_ns - sent_ns <= 50 * MS for at_ns, sent_ns in arrived)
    assert [at_ns for at_ns, _ in arrived] == sorted(at_ns for at_ns, _ in arrived)
    assert sorted(sent_ns for _, sent_ns in arrived) == sent


def test_delays_fill_their_range_and_messages_overtake():
    link = line()
    for index in range(1000):
        link.send(index * MS, index)
    arrived = list(arrival_times(link))
    delays = [at_ns - index * MS for at_ns, index in arrived]
    assert min(delays) < 21 * MS
    assert max(delays) > 49 * MS
    order = [index for _, index in arrived]
    assert order != sorted(order)


@pytest.mark.parametrize("loss", [0.0, 0.1, 1.0])
def test_messages_are_lost_as_often_as_asked_for(loss):
    link = line(loss=loss)
    for index in range(10_000):
        link.send(index * MS, index)
    lost = 10_000 - len(list(link.arrivals(10**15)))
    assert abs(lost - 10_000 * loss) <= 4 * np.sqrt(10_000 * loss * (1 - loss))  # four standard deviations


def test_the_same_seed_draws_the_same_delays():
    def arrivals(seed):
        link = line(seed=seed)
        for index in range(20):
            link.send(index * MS, index)
        return list(arrival_times(link))

    assert arrivals(1) == arrivals(1) != arrivals(2)


@pytest.mark.parametrize(("stamp_ns", "taken"), [(9, False), (10, False), (11, True)])
def test_only_what_is_newer_is_taken(stamp_ns, taken):
    newest = Newest(10, "old")
    assert newest.offer(stamp_ns, "offered") is taken
    assert (newest.stamp_ns, newest.message) == ((11, "offered") if taken else (10, "old"))


@given(st.lists(st.integers(0, 100), min_size=1))
def test_what_is_kept_is_the_newest_of_all(stamps):
    newest = Newest(-1, None)
    for index, stamp in enumerate(stamps):
        newest.offer(stamp, index)
    assert newest.stamp_ns == max(stamps)
    assert newest.message == stamps.index(max(stamps)), "of equal stamps the first"
