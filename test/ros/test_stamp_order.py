"""Which message is the newest, on stamps and arrivals that the tests choose: everything is exact."""

import pytest

from rtgym_ros.core.time_source import NS_PER_S
from rtgym_ros.ros.stamp_order import StampOrder, TransitTime

MS = 1_000_000
START = 1_700_000_000 * NS_PER_S


def offer_all(order, stamps_and_arrivals):
    return [order.offer(START + stamp * MS, START + arrival * MS) for stamp, arrival in stamps_and_arrivals]


def test_what_was_overtaken_is_dropped():
    order = StampOrder()
    assert offer_all(order, [(10, 30), (30, 50), (20, 51), (30, 52), (40, 60)]) == [True, True, False, False, True]
    assert (order.dropped, order.resets, order.newest_ns) == (2, 0, START + 40 * MS)


@pytest.mark.parametrize("ahead_s", [-3600, 0, 3600, 1_000_000_000])
def test_the_clock_of_the_receiver_does_not_matter(ahead_s):
    order = StampOrder()
    assert [order.offer(START + ahead_s * NS_PER_S + stamp, START) for stamp in (10, 30, 20)] == [True, True, False]


def test_a_clock_set_back_by_a_second_is_followed_at_once():
    order = StampOrder()
    assert offer_all(order, [(2000, 2000), (1000, 2010), (1010, 2020), (1005, 2021)]) == [True, True, True, False]
    assert (order.resets, order.newest_ns) == (1, START + 1010 * MS)


def test_a_clock_set_back_by_less_is_followed_when_nothing_else_has_come_for_half_a_second():
    order = StampOrder()
    order.offer(START + 1000 * MS, START)
    accepted = offer_all(order, [(400 + 10 * i, 10 * i) for i in range(60)])
    assert accepted == [False] * 50 + [True] * 10
    assert (order.resets, order.newest_ns) == (1, START + 990 * MS)


def test_stragglers_between_newer_messages_are_no_clock_set_back():
    order = StampOrder()
    for i in range(1000):
        assert order.offer(START + 10 * i * MS, START + 10 * i * MS)
        assert not order.offer(START + (10 * i - 900) * MS, START + 10 * i * MS)
    assert order.resets == 0


def test_two_stragglers_are_no_clock_set_back_however_far_apart():
    order = StampOrder()
    order.offer(START + 1000 * MS, START)
    assert not order.offer(START + 900 * MS, START + 10 * MS)
    assert not order.offer(START + 910 * MS, START + 5000 * MS)
    assert order.offer(START + 920 * MS, START + 5010 * MS)


@pytest.mark.parametrize(
    ("transits_ms", "offset_ms"),
    [([30, 50], 0), ([-3], 0), ([-4000, -3990], -4000), ([2000, 1500, 1600], 1500), ([10, 5000], 0)],
)
def test_the_offset_of_a_foreign_clock_is_the_shortest_transit(transits_ms, offset_ms):
    transit = TransitTime()
    for i, transit_ms in enumerate(transits_ms):
        arrived_ns = START + i * MS
        transit.add(arrived_ns, arrived_ns - transit_ms * MS)
    assert transit.offset_ns == offset_ms * MS


def test_a_shortest_transit_is_forgotten_after_two_windows():
    transit = TransitTime()
    for second, transit_ms in ((0, -5000), (61, -4000), (122, -3000), (183, -2000)):
        arrived_ns = START + second * NS_PER_S
        transit.add(arrived_ns, arrived_ns - transit_ms * MS)
    assert transit.offset_ns == -3000 * MS
