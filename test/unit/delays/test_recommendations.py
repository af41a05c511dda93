import math

import numpy as np
import pytest
from simulated_link import MS, START, Link, S

from rtgym_ros.delays.distribution import describe_distribution
from rtgym_ros.delays.recommendations import Measurements, action_buffer_length, recommend
from rtgym_ros.delays.report import report_text
from rtgym_ros.delays.servo import ServoEstimate


def test_quantiles_and_their_confidence():
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(100):
        found = describe_distribution(np.random.default_rng(seed).gamma(2, 0.01, 2000), rng, resamples=200)
        assert found.p99.low <= found.p99.value <= found.p99.high <= found.maximum
        hits += found.p50.low <= 0.01678347 <= found.p50.high
    assert hits >= 88, "of 100 intervals of 95 %"


def test_bursts_do_not_look_surer_than_they_are():
    rng = np.random.default_rng(0)
    steady = rng.normal(size=1000)
    alone, bursts = (describe_distribution(x, np.random.default_rng(1)) for x in (steady, np.repeat(steady[:100], 10)))
    assert bursts.p50.high - bursts.p50.low > 2 * (alone.p50.high - alone.p50.low)


def test_nothing_measured_is_nan():
    found = describe_distribution([math.nan], np.random.default_rng(0))
    assert found.count == 0
    assert math.isnan(found.p99.high)
    nothing = recommend(Measurements(), 0.05)
    assert nothing.act_buf_len is None
    assert math.isnan(nothing.max_age)
    assert report_text(nothing).count("too little was measured") == 4


@pytest.mark.parametrize(
    ("arguments", "length"),
    [
        ((0.06, 0.05, 0.05), 4),  # the tutorial's drone
        ((0.05, 0.05, 0.05), 3),
        ((0.0, 0.0, 0.05), 1),
        ((0.06, 0.05, 0.02), 7),
        ((0.06, 0.05, 0.02, 2), 9),
    ],
)
def test_the_arithmetic_of_the_action_buffer(arguments, length):
    assert action_buffer_length(*arguments) == length


def test_delays_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="time_step_duration must be positive"):
        action_buffer_length(0.1, 0.1, 0.0)
    with pytest.raises(ValueError, match="delays not negative"):
        action_buffer_length(-0.1, 0.1, 0.1)


@pytest.mark.parametrize("seed", range(12))
def test_the_buffer_is_long_enough_and_no_longer_than_needed(seed):
    """For random links and time-steps: no time-step needs more, and some time-step needs all of it but one at most."""
    rng = np.random.default_rng(seed)
    up, down = (tuple(sorted(rng.uniform(0.0, 0.12, 2))) for _ in range(2))
    step_ns = int(rng.integers(15, 90)) * MS
    link = Link(seed=seed, up=up, down=down, period_ns=int(rng.integers(4, 25)) * MS)
    ages, places, newest = [], [], None
    for number, _, end, came in link.fly(6000, step_ns):
        for _, message in came:
            if newest is None or message.sample_ns > newest.sample_ns:
                newest = message
        if newest is not None:
            ages.append((end - newest.sample_ns) / S)
            places.append(number + 1 - newest.truth.next_command)
    delays = [(at - START - number * step_ns) / S for number, at in link.applied_at.items()]
    length = recommend(Measurements(observation_delays=ages, action_delays=delays), step_ns / S).act_buf_len
    assert max(places) + 1 <= length <= max(places) + 2
    assert recommend(Measurements(places=places), step_ns / S).act_buf_len == max(places) + 1


def test_the_report_tells_figures_recommendations_and_reasons():
    rng = np.random.default_rng(0)
    measured = Measurements(
        observation_delays=rng.uniform(0.02, 0.06, 500),
        action_delays=rng.uniform(0.02, 0.05, 500),
        capture_durations=rng.normal(0.001, 0.0001, 500),
        inference_durations=rng.normal(0.004, 0.0005, 500),
        send_durations=rng.normal(0.0002, 0.00001, 500),
        places=rng.integers(1, 4, 500),
    )
    found = recommend(measured, 0.05)
    assert found.act_buf_len == 4
    assert 0.006 < found.shortest_time_step_duration < 0.0075
    assert 0.048 < found.start_obs_capture < 0.049
    assert found.max_age == pytest.approx(0.09, abs=0.002)
    text = report_text(found, ServoEstimate(0.1, 0.002, 0.04, 0.003, 0.06, 0.004, 1.01, 0.99))
    assert "act_buf_len: 4" in text
    assert "rounded up, + 1 = 4; the largest alpha + kappa seen is 3" in text
    assert "lag 100.0 ± 2.0 ms = dead time 40.0 ± 3.0 ms + time constant 60.0 ± 4.0 ms" in text
    assert all(len(line) < 160 for line in text.splitlines())
    assert recommend(measured, 0.05) == found, "the same seed, the same report"


def test_an_early_capture_makes_the_buffer_longer():
    late, early = (
        Measurements(observation_delays=[0.03], action_delays=[0.015], capture_to_send=wait) for wait in (0.0, 0.03)
    )
    assert recommend(late, 0.05).act_buf_len == 2
    assert recommend(early, 0.05).act_buf_len == 3
