import math

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.core.benchmark import DURATIONS, NullBenchmark, PolyakBenchmark, TraceBenchmark, make_benchmark

MS = 1_000_000
STATISTICS = {"count", "mean", "p50", "p90", "p99", "max"}
EVENTS = {
    "start_step",
    "end_step_join",
    "end_step",
    "start_get_obs",
    "end_get_obs",
    "start_send_control",
    "end_send_control",
}


def steps(benchmark, *durations_ms):
    """Tell of calls of step(), one directly after the other, that last so long."""
    now_ns = 0
    for duration_ms in durations_ms:
        left_ns = now_ns + duration_ms * MS
        benchmark.call(now_ns, now_ns, left_ns, is_step=True)
        now_ns = left_ns


def flight(benchmark):
    """A reset, three time-steps of 50 ms and the next reset, all in ms: what each duration is can be read here."""
    benchmark.call(0, 0, 3 * MS, is_step=False)
    for step, (entered_ms, left_ms) in enumerate([(20, 51), (61, 102), (122, 150)]):
        benchmark.send_control(50 * step * MS, (50 * step + 1) * MS)
        benchmark.get_obs((50 * step + 48) * MS, (50 * step + 50) * MS)
        benchmark.call(entered_ms * MS, (50 * step + 50) * MS, left_ms * MS, is_step=True)
    benchmark.call(150 * MS, 150 * MS, 160 * MS, is_step=False)


# --- Real-Time Gym's averages ---


def test_the_first_duration_is_the_mean_itself():
    benchmark = PolyakBenchmark(0.1)
    steps(benchmark, 50)
    assert benchmark.summary()["step_duration"] == (0.05, 0.0)


def test_the_averages_are_those_of_real_time_gym():
    benchmark = PolyakBenchmark(0.5)
    steps(benchmark, 100, 200, 100)
    # delta 0.1: mean 0.1 + 0.05, deviation 0 + 0.05; delta -0.05: mean 0.15 - 0.025, deviation 0.05 + 0.5 * 0
    assert benchmark.summary()["step_duration"] == pytest.approx((0.125, 0.05))


@given(st.floats(0.01, 1.0), st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_any_averages_are_those_of_real_time_gym(factor, durations_ns):
    benchmark = PolyakBenchmark(factor)
    average = deviation = None
    for duration_ns in durations_ns:
        benchmark.get_obs(0, duration_ns)
        value = duration_ns / 1e9
        if average is None:
            average, deviation = value, 0.0
        else:
            delta = value - average
            average += factor * delta
            deviation = deviation + factor * (abs(delta) - deviation)
    assert benchmark.summary()["get_obs_duration"] == pytest.approx((average, deviation))


def test_every_duration_has_an_average_of_its_own():
    benchmark = PolyakBenchmark(1.0)  # the newest value alone
    flight(benchmark)
    assert {name: mean for name, (mean, _) in benchmark.summary().items()} == pytest.approx(
        {
            "time_step_duration": 0.050,
            "step_duration": 0.028,
            "join_duration": 0.028,
            "inference_duration": 0.020,
            "send_control_duration": 0.001,
            "get_obs_duration": 0.002,
        }
    )


def test_a_reset_is_neither_a_step_nor_inference():
    benchmark = PolyakBenchmark(1.0)
    steps(benchmark, 50)
    benchmark.call(60 * MS, 70 * MS, 900 * MS, is_step=False)
    benchmark.call(950 * MS, 960 * MS, 961 * MS, is_step=True)
    assert benchmark.summary()["inference_duration"] == (None, 0.0)
    assert benchmark.statistics()["step_duration"]["count"] == 2


def test_every_name_of_real_time_gym_is_there_before_the_first_duration():
    names = {
        "time_step_duration",
        "step_duration",
        "join_duration",
        "inference_duration",
        "send_control_duration",
        "get_obs_duration",
    }
    assert set(DURATIONS) == names
    assert PolyakBenchmark(0.1).summary() == dict.fromkeys(names, (None, 0.0))
    assert set(TraceBenchmark().summary()["deltas"]) == names
    assert set(TraceBenchmark().summary()["clock"]) == EVENTS


# --- the trace ---


def test_the_trace_is_laid_out_as_that_of_real_time_gym():
    benchmark = TraceBenchmark()
    flight(benchmark)
    trace = benchmark.summary()
    ms = {name: (1e3 * times).round(6).tolist() for name, times in (trace["clock"] | trace["deltas"]).items()}
    assert ms == {
        "start_step": [0, 20, 61, 122, 150],
        "end_step_join": [0, 50, 100, 150, 150],
        "end_step": [3, 51, 102, 150, 160],
        "start_send_control": [0, 50, 100],
        "end_send_control": [1, 51, 101],
        "start_get_obs": [48, 98, 148],
        "end_get_obs": [50, 100, 150],
        "time_step_duration": [20, 41, 61, 28],
        "step_duration": [3, 31, 41, 28, 10],
        "join_duration": [0, 30, 39, 28, 0],
        "inference_duration": [17, 10, 20, 0],
        "send_control_duration": [1, 1, 1],
        "get_obs_duration": [2, 2, 2],
    }


def test_an_empty_trace_has_arrays_too():
    trace = TraceBenchmark().summary()
    assert {values.shape for values in (trace["clock"] | trace["deltas"]).values()} == {(0,)}
    assert {values.dtype for values in (trace["clock"] | trace["deltas"]).values()} == {np.dtype(np.float64)}


def test_short_durations_long_after_the_origin_are_exact():
    benchmark = TraceBenchmark()
    since_1970_ns = 1_800_000_000_000_000_000
    benchmark.get_obs(since_1970_ns, since_1970_ns + 123)
    assert benchmark.summary()["deltas"]["get_obs_duration"] == 123e-9


def test_the_summary_of_a_trace_does_not_grow_afterwards():
    benchmark = TraceBenchmark()
    steps(benchmark, 1)
    before = benchmark.summary()["deltas"]["step_duration"]
    steps(benchmark, 1)
    assert len(before) == 1


def test_a_trace_is_exported_for_pandas(tmp_path):
    benchmark = TraceBenchmark()
    flight(benchmark)
    benchmark.get_obs(1_800_000_000_123_456_789, 1_800_000_000_123_456_790)
    benchmark.export(tmp_path / "trace.csv")
    table = pandas.read_csv(tmp_path / "trace.csv")
    assert list(table.columns) == ["event", "start", "end", "duration"]
    assert table["event"].value_counts().to_dict() == {
        "join": 5,
        "get_obs": 4,
        "step": 3,
        "send_control": 3,
        "reset": 2,
    }
    assert table["start"].is_monotonic_increasing
    ms = table[table["event"] == "step"]["duration"].mul(1e3).round(6).tolist()
    assert ms == [31, 41, 28]
    assert (tmp_path / "trace.csv").read_text().splitlines()[-1] == (
        "get_obs,1800000000.123456789,1800000000.123456790,0.000000001"
    )


def test_a_trace_of_nothing_is_a_file_with_a_heading(tmp_path):
    TraceBenchmark().export(tmp_path / "trace.csv")
    assert len(pandas.read_csv(tmp_path / "trace.csv")) == 0


# --- statistics ---


@pytest.mark.parametrize("benchmark", [PolyakBenchmark(0.1), TraceBenchmark()])
def test_statistics_of_both_kinds(benchmark):
    flight(benchmark)
    statistics = benchmark.statistics()
    assert set(statistics) == set(DURATIONS)
    assert {frozenset(values) for values in statistics.values()} == {frozenset(STATISTICS)}
    assert {name: values["count"] for name, values in statistics.items()} == {
        "time_step_duration": 2,
        "step_duration": 3,
        "join_duration": 3,
        "inference_duration": 2,
        "send_control_duration": 3,
        "get_obs_duration": 3,
    }
    step = statistics["step_duration"]
    assert step["mean"] == pytest.approx(0.1 / 3)
    assert step["max"] == 0.041
    assert (step["p50"], step["p90"], step["p99"]) == pytest.approx((0.031, 0.041, 0.041), rel=0.006)
    inference = statistics["inference_duration"]
    assert (inference["mean"], inference["max"]) == pytest.approx((0.015, 0.020))
    assert statistics["time_step_duration"]["mean"] == 0.05


@given(st.lists(st.integers(1, 10**11), min_size=1, max_size=200))
def test_averages_and_trace_tell_the_same_statistics(durations_ns):
    polyak, trace = PolyakBenchmark(0.1), TraceBenchmark()
    for duration_ns in durations_ns:
        for benchmark in (polyak, trace):
            benchmark.send_control(0, duration_ns)
    told, exact = (benchmark.statistics()["send_control_duration"] for benchmark in (polyak, trace))
    assert (told["count"], told["max"]) == (exact["count"], exact["max"])
    assert [told[name] for name in ("mean", "p50", "p90", "p99")] == pytest.approx(
        [exact[name] for name in ("mean", "p50", "p90", "p99")], rel=0.006
    )


@pytest.mark.parametrize("benchmark", [PolyakBenchmark(0.1), TraceBenchmark()])
def test_statistics_of_nothing(benchmark):
    for values in benchmark.statistics().values():
        assert values.pop("count") == 0
        assert all(math.isnan(value) for value in values.values())


# --- all of them ---


@pytest.mark.parametrize("benchmark_class", [lambda: PolyakBenchmark(0.1), TraceBenchmark])
def test_reading_the_summary_does_not_write_it(benchmark_class):
    benchmark = benchmark_class()
    benchmark.summary().clear()
    assert benchmark.summary()


def test_the_null_benchmark_records_nothing():
    benchmark = NullBenchmark()
    flight(benchmark)
    assert (benchmark.summary(), benchmark.statistics()) == ({}, {})


@pytest.mark.parametrize(
    ("enabled", "kind", "expected"),
    [
        (False, "polyak", NullBenchmark),
        (False, "trace", NullBenchmark),
        (True, "polyak", PolyakBenchmark),
        (True, "trace", TraceBenchmark),
        (True, "Trace", TraceBenchmark),
    ],
)
def test_the_configuration_picks_the_benchmark(enabled, kind, expected):
    assert type(make_benchmark(enabled, kind, 0.1)) is expected
