"""On stepped time: the elastic clock's grid, a periodic observation with its own clock, and the loop between them."""

import numpy as np
import pytest

from rtgym_ros.delays.phase import PhaseFollower

MS, S = 1_000_000, 1_000_000_000
EPOCH = 1_760_000_000 * S


def fly(
    seconds,
    *,
    period_ms=10.0,
    step_ms=50.0,
    ppm=0.0,
    transport_ms=12.0,
    jitter_ms=0.0,
    lost=0.0,
    start_ms=0.0,
    seed=0,
    follower=None,
    until_warm_s=10.0,
):
    """Return the ages (ms) of what is captured, once the loop has settled, and all shifts (ns)."""
    rng = np.random.default_rng(seed)
    step_ns = round(step_ms * MS)
    follower = follower or PhaseFollower(step_ns, round(period_ms * MS))
    samples = start_ms * MS + np.arange(int(seconds * 1000 / period_ms)) * period_ms * MS * (1 + ppm / 1e6)
    arrivals = samples + transport_ms * MS + jitter_ms * MS * rng.gamma(2.0, 0.5, len(samples))
    kept = rng.random(len(samples)) >= lost
    order = np.argsort(arrivals[kept], kind="stable")
    samples, arrivals = (np.rint(a[kept][order]).astype(np.int64) + EPOCH for a in (samples, arrivals))
    ages, shifts, at, newest = [], [], 0, None
    capture = EPOCH + step_ns
    while capture < arrivals[-1]:
        while arrivals[at] <= capture:
            follower.arrived(int(arrivals[at]))
            newest = samples[at] if newest is None else max(newest, samples[at])
            at += 1
        if newest is not None and capture - EPOCH > until_warm_s * S:
            ages.append((capture - newest) / MS)
        shift = follower.shift_ns(capture + step_ns)
        shifts.append(shift)
        capture += step_ns + shift
    return np.array(ages), np.array(shifts)


def test_without_it_the_age_is_anything_up_to_a_period_more():
    ages, _ = fly(60, start_ms=8.5, follower=PhaseFollower(50 * MS, 10 * MS, max_shift_ns=0))
    assert np.median(ages) == pytest.approx(21.5)


@pytest.mark.parametrize("start_ms", [0.0, 1.0, 3.3, 6.5, 8.7, 9.9])
def test_from_any_phase_the_age_falls_to_the_transport_delay(start_ms):
    ages, shifts = fly(60, start_ms=start_ms)
    assert ages.max() == pytest.approx(12.2, abs=0.02), "the transport delay and the margin"
    assert np.abs(shifts).max() <= MS, "2 % of a time-step"


@pytest.mark.parametrize("lost", [0.0, 0.05])
@pytest.mark.parametrize("ppm", [50.0, -50.0])
def test_it_stays_there_for_an_hour_of_drift_jitter_and_losses(ppm, lost):
    """50 ppm are 180 ms in an hour: 18 periods."""
    ages, shifts = fly(3600, ppm=ppm, jitter_ms=0.3, lost=lost, start_ms=5.0)
    usual = 12.0 + 0.3 * 0.839  # the median of the jitter: gamma(2, 1/2)
    for hour in np.array_split(ages, 12):
        assert np.median(hour) <= usual + 1.0
    assert np.mean(ages > 22.0) < 0.12 + lost, "a capture that misses its sample takes the one before"
    assert np.abs(shifts).max() <= MS
    assert np.median(np.abs(shifts[2000:])) < 0.05 * MS, "filtered"


def test_a_longer_period_than_the_time_step_is_no_phase():
    follower = PhaseFollower(50 * MS, 33 * MS)
    _, shifts = fly(20, period_ms=33.0, follower=follower)
    assert follower.settled
    assert not follower.possible
    assert (shifts == 0).all()


def test_arrivals_all_over_the_period_are_no_phase():
    follower = PhaseFollower(50 * MS, 10 * MS)
    _, shifts = fly(60, jitter_ms=20.0, follower=follower)
    assert not follower.possible
    assert (shifts[-200:] == 0).all()


def test_the_period_is_found():
    follower = PhaseFollower(50 * MS, 10 * MS)
    fly(120, ppm=300.0, jitter_ms=0.2, lost=0.02, follower=follower)
    assert follower.period_ns == pytest.approx(10.003 * MS, rel=30e-6)
    assert 0.02 * MS < follower.jitter_ns < 0.3 * MS


def test_nothing_is_told_before_it_has_settled_and_after_a_long_silence():
    follower = PhaseFollower(50 * MS, 10 * MS)
    assert follower.shift_ns(EPOCH) == 0
    for number in range(60):
        follower.arrived(EPOCH + number * 10 * MS)
    assert follower.shift_ns(EPOCH + 605 * MS) != 0
    follower.arrived(EPOCH + 60 * S)
    assert not follower.settled
    assert follower.shift_ns(EPOCH + 60 * S) == 0
    for number in range(60):
        follower.arrived(EPOCH + 5 * S + number * 10 * MS)  # the clock was set back
    assert follower.settled


def test_a_busy_machine_that_takes_some_late_does_not_draw_the_capture_after_them():
    """One of ten arrivals comes up to 20 ms late, with those behind it."""
    rng = np.random.default_rng(1)
    follower, late = PhaseFollower(50 * MS, 10 * MS), 0.0
    for number in range(6000):
        late = max(late - 10.0, rng.uniform(0, 20) if rng.random() < 0.05 else 0.0)
        follower.arrived(EPOCH + round((10 * number + 0.05 * rng.random() + late) * MS))
    assert follower.possible
    assert abs(follower.shift_ns(EPOCH + 60_100 * MS)) < 0.8 * MS


def test_no_time_step_is_shifted_by_more_than_2_percent():
    follower = PhaseFollower(50 * MS, 10 * MS)
    assert follower.shift_ns(EPOCH) == 0, "nothing has arrived"
    for number in range(100):
        follower.arrived(EPOCH + number * 10 * MS)
    assert follower.shift_ns(EPOCH + 1050 * MS + 700_000) == pytest.approx(-500_000, abs=20)
    assert follower.shift_ns(EPOCH + 1049 * MS) == MS


@pytest.mark.parametrize("arguments", [(0, 1), (1, 0), (1, 1, -1), (1, 1, 0, 1.0), (1, 1, 0, 0.5, None, 1)])
def test_values_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match="must be positive"):
        PhaseFollower(*arguments)
