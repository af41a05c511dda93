import numpy as np
import pytest

from rtgym_ros.delays.clock_offset import ClockOffset

MS, S = 1_000_000, 1_000_000_000
EPOCH = 1_760_000_000 * S


class OtherClock:
    """A clock that was set wrong and runs at its own rate."""

    def __init__(self, offset_ns, ppm):
        self.offset_ns, self.ppm = offset_ns, ppm

    def shows(self, ours_ns):
        return ours_ns + self.offset_at(ours_ns)

    def offset_at(self, ours_ns):
        return self.offset_ns + round((ours_ns - EPOCH) * self.ppm / 1e6)


def round_trips(clock, rng, seconds, period_ms=50, low=0.002, high=0.020):
    for number in range(int(seconds * 1000 / period_ms)):
        sent = EPOCH + number * period_ms * MS
        there = sent + round(rng.uniform(low, high) * S)
        back = there + round(rng.uniform(low, high) * S)
        yield sent, clock.shows(there), back


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("offset_s", "ppm"), [(3.7, 50), (-3.7, -50), (0.0, 0), (1e5, 200)])
def test_the_truth_is_within_the_stated_uncertainty(offset_s, ppm, seed):
    clock, estimator = OtherClock(round(offset_s * S), ppm), ClockOffset()
    widths = []
    for sent, remote, received in round_trips(clock, np.random.default_rng(seed), 120):
        estimator.add_round_trip(sent, remote, received)
        estimate = estimator.at(received)
        assert abs(estimate.offset_ns - clock.offset_at(received)) <= estimate.uncertainty_ns
        assert abs(estimate.drift - ppm / 1e6) <= estimate.drift_uncertainty + 1e-9
        widths.append(estimate.uncertainty_ns)
    # Half of the fastest round trip (2 x 2 ms) stays; the rest of the uncertainty has gone.
    assert 2.0 * MS <= widths[-1] <= 2.5 * MS
    assert estimate.drift_uncertainty < 60e-6


def test_equal_ways_leave_a_small_error():
    clock, estimator = OtherClock(3_700_000_000, 50), ClockOffset()
    for sent, remote, received in round_trips(clock, np.random.default_rng(1), 300):
        estimator.add_round_trip(sent, remote, received)
    assert abs(estimator.at(received).offset_ns - clock.offset_at(received)) < 0.3 * MS
    assert estimator.at(received).drift == pytest.approx(50e-6, abs=3e-6)


def test_a_stamp_is_brought_into_our_clock():
    clock, estimator = OtherClock(3_700_000_000, 50), ClockOffset()
    rng = np.random.default_rng(2)
    for sent, remote, received in round_trips(clock, rng, 60):
        estimator.add_round_trip(sent, remote, received)
        ours = received - round(rng.uniform(0, 0.5) * S)
        estimated, uncertainty = estimator.to_ours(clock.shows(ours), received)
        assert abs(estimated - ours) <= uncertainty


def test_one_sided_traffic_says_nothing():
    estimator = ClockOffset()
    assert estimator.at(EPOCH) is None
    estimator.add_arrival(EPOCH, EPOCH + MS)
    assert estimator.at(EPOCH + MS) is None
    assert estimator.to_ours(EPOCH, EPOCH + MS) is None
    estimator.add_departure(EPOCH, EPOCH + 4 * MS)
    assert estimator.at(EPOCH) is not None


def test_a_single_round_trip_is_exact_arithmetic():
    estimator = ClockOffset(max_drift=0.0)
    estimator.add_round_trip(EPOCH, EPOCH + 5 * MS + 7, EPOCH + 4 * MS)
    estimate = estimator.at(EPOCH + 4 * MS)
    assert estimate.offset_ns == 3 * MS + 7
    assert 2 * MS <= estimate.uncertainty_ns <= 2 * MS + 2


@pytest.mark.parametrize("step_s", [0.5, -10.0])
def test_a_clock_that_was_set_is_followed(step_s):
    clock, estimator = OtherClock(0, 20), ClockOffset()
    rng = np.random.default_rng(3)
    for sent, remote, received in round_trips(clock, rng, 120):
        if sent == EPOCH + 60 * S:
            clock.offset_ns += round(step_s * S)
        estimator.add_round_trip(sent, remote, received)
        estimate = estimator.at(received)
    # The window in which it was set contradicts itself, and is forgotten in time.
    assert abs(estimate.offset_ns - clock.offset_at(received)) <= estimate.uncertainty_ns < 5 * MS


def test_uncertainty_grows_while_nothing_comes():
    clock, estimator = OtherClock(0, 50), ClockOffset()
    for sent, remote, received in round_trips(clock, np.random.default_rng(4), 10):
        estimator.add_round_trip(sent, remote, received)
    for later_s in (0, 10, 100):
        then = received + later_s * S
        estimate = estimator.at(then)
        assert abs(estimate.offset_ns - clock.offset_at(then)) <= estimate.uncertainty_ns
    assert estimate.uncertainty_ns > estimator.at(received).uncertainty_ns
