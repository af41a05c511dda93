import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.core.benchmark import DURATIONS, NullBenchmark, PolyakBenchmark, TraceBenchmark, make_benchmark

MS = 1_000_000


def test_the_first_duration_is_the_mean_itself():
    benchmark = PolyakBenchmark(0.1)
    benchmark.record("step_duration", 50 * MS)
    assert benchmark.summary()["step_duration"] == (0.05, 0.0)


def test_the_averages_are_those_of_real_time_gym():
    benchmark = PolyakBenchmark(0.5)
    for duration_ms in (100, 200, 100):
        benchmark.record("step_duration", duration_ms * MS)
    # delta 0.1: mean 0.1 + 0.05, deviation 0 + 0.05; delta -0.05: mean 0.15 - 0.025, deviation 0.05 + 0.5 * 0
    assert benchmark.summary()["step_duration"] == pytest.approx((0.125, 0.05))


@given(st.floats(0.01, 1.0), st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_any_averages_are_those_of_real_time_gym(factor, durations_ns):
    benchmark = PolyakBenchmark(factor)
    average = deviation = None
    for duration_ns in durations_ns:
        benchmark.record("get_obs_duration", duration_ns)
        value = duration_ns / 1e9
        if average is None:
            average, deviation = value, 0.0
        else:
            delta = value - average
            average += factor * delta
            deviation = deviation + factor * (abs(delta) - deviation)
    assert benchmark.summary()["get_obs_duration"] == pytest.approx((average, deviation))


def test_the_durations_do_not_mix():
    benchmark = PolyakBenchmark(0.1)
    for number, name in enumerate(DURATIONS):
        benchmark.record(name, number * MS)
    assert [mean for mean, _ in benchmark.summary().values()] == [number / 1000 for number in range(len(DURATIONS))]


def test_every_name_of_real_time_gym_is_there_before_the_first_duration():
    names = {
        "time_step_duration",
        "step_duration",
        "join_duration",
        "inference_duration",
        "send_control_duration",
        "get_obs_duration",
    }
    assert PolyakBenchmark(0.1).summary() == dict.fromkeys(names, (None, 0.0))
    assert set(TraceBenchmark().summary()["deltas"]) == names


def test_the_trace_holds_every_duration_in_seconds():
    benchmark = TraceBenchmark()
    for duration_ms in (50, 49, 51):
        benchmark.record("time_step_duration", duration_ms * MS)
    deltas = benchmark.summary()["deltas"]
    np.testing.assert_array_equal(deltas["time_step_duration"], [0.05, 0.049, 0.051])
    assert deltas["time_step_duration"].dtype == np.float64
    assert deltas["step_duration"].shape == (0,)


def test_the_summary_of_a_trace_does_not_grow_afterwards():
    benchmark = TraceBenchmark()
    benchmark.record("step_duration", MS)
    before = benchmark.summary()["deltas"]["step_duration"]
    benchmark.record("step_duration", MS)
    assert len(before) == 1


@pytest.mark.parametrize("benchmark_class", [lambda: PolyakBenchmark(0.1), TraceBenchmark])
def test_reading_the_summary_does_not_write_it(benchmark_class):
    benchmark = benchmark_class()
    benchmark.summary().clear()
    assert benchmark.summary()


def test_the_null_benchmark_records_nothing():
    benchmark = NullBenchmark()
    benchmark.record("step_duration", MS)
    assert benchmark.summary() == {}


@pytest.mark.parametrize(
    ("enabled", "kind", "expected"),
    [
        (False, "polyak", NullBenchmark),
        (False, "trace", NullBenchmark),
        (True, "polyak", PolyakBenchmark),
        (True, "trace", TraceBenchmark),
    ],
)
def test_the_configuration_picks_the_benchmark(enabled, kind, expected):
    assert type(make_benchmark(enabled, kind, 0.1)) is expected
