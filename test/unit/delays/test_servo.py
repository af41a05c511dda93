import numpy as np
import pytest

from rtgym_ros.delays.servo import identify_servo


def servo(seed, lag, share, period, noise=0.01, seconds=20.0, integrates=False, gain=1.0, lost=0.05):
    """Simulate a servo in steps of 0.1 ms; return its commands and its response, sampled irregularly."""
    rng = np.random.default_rng(seed)
    dead_time, constant = share * lag, (1 - share) * lag
    command_times = np.arange(0, seconds, 0.05) + rng.uniform(0, 0.004, round(seconds / 0.05))
    values = np.cumsum(rng.normal(0, 0.3, len(command_times)))
    values -= np.linspace(0, values[-1], len(values))
    fine = np.arange(0, seconds, 1e-4)
    applied = values[np.maximum(np.searchsorted(command_times, fine - dead_time, "right") - 1, 0)]
    state, states = values[0], np.empty_like(fine)
    keep = np.exp(-1e-4 / constant) if constant else 0.0
    for index, value in enumerate(applied.tolist()):
        states[index] = state
        state = value + (state - value) * keep
    response = gain * states + 0.2
    if integrates:
        response = np.cumsum(response) * 1e-4
    times = np.arange(0.01, seconds - 0.01, period)
    times = times + rng.uniform(-0.3, 0.3, len(times)) * period
    times = times[rng.random(len(times)) >= lost]
    measured = np.interp(times, fine, response)
    return command_times, values, times, measured + rng.normal(0, noise * np.std(response), len(times))


@pytest.mark.parametrize("seed", range(30))
def test_the_lag_is_found_within_a_sampling_period(seed):
    """Lags of 40 to 200 ms, divided in any way into dead time and time constant, in 20 s of motion."""
    rng = np.random.default_rng(1000 + seed)
    lag, share, period = rng.uniform(0.04, 0.2), rng.uniform(0.1, 0.9), rng.choice([0.01, 0.02, 0.04])
    noise = rng.choice([0.001, 0.01, 0.03])
    estimate = identify_servo(*servo(seed, lag, share, period, noise))
    assert estimate.lag == pytest.approx(lag, abs=period)
    assert estimate.dead_time == pytest.approx(share * lag, abs=period)
    assert estimate.time_constant == pytest.approx((1 - share) * lag, abs=period)
    assert estimate.explained > 0.98


def test_the_truth_is_in_the_confidence_interval_as_often_as_it_should_be():
    hits = 0
    for seed in range(30):
        estimate = identify_servo(*servo(seed, 0.12, 0.4, 0.02, 0.02))
        hits += abs(estimate.lag - 0.12) <= estimate.lag_error
    assert hits >= 26, "95 % of 30 are 28.5"


@pytest.mark.parametrize("seed", range(4))
def test_velocity_commands_and_positions(seed):
    estimate = identify_servo(*servo(seed, 0.1, 0.5, 0.01, 0.001, integrates=True, gain=0.8), integrates=True)
    assert estimate.lag == pytest.approx(0.1, abs=0.01)
    assert estimate.gain == pytest.approx(0.8, rel=0.02)


def test_a_pure_dead_time():
    estimate = identify_servo(*servo(3, 0.1, 1.0, 0.01, 0.001))
    assert estimate.dead_time == pytest.approx(0.1, abs=0.01)
    assert estimate.time_constant < 0.005


def test_a_pure_lag():
    estimate = identify_servo(*servo(3, 0.1, 0.0, 0.01, 0.001))
    assert estimate.time_constant == pytest.approx(0.1, abs=0.01)
    assert estimate.dead_time < 0.005


def test_noise_alone_is_recognised():
    commands, values, times, _ = servo(0, 0.1, 0.5, 0.02)
    estimate = identify_servo(commands, values, times, np.random.default_rng(0).normal(size=len(times)))
    assert estimate.explained < 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c, u, t, y: (c, u * 0, t, y), "the commands do not change"),
        (lambda c, u, t, y: (c[::-1], u, t, y), "command: times must increase"),
        (lambda c, u, t, y: (c, u, t, y[:-1]), "response: times and values must be of one length"),
        (lambda c, u, t, y: (c, u, t, y * np.nan), "response: .* must be finite"),
        (lambda c, u, t, y: (c[:3], u[:3], t, y), "command: at least 4 samples"),
        (lambda c, u, t, y: (c, u, t[:20], y[:20]), "the response is too short"),
    ],
)
def test_series_that_say_nothing_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        identify_servo(*change(*servo(0, 0.1, 0.5, 0.02, seconds=3.0)))
