"""What ``./dev bench`` reckons with, on times that were made up."""

import json
import math
import sys

import numpy as np
import pytest

from benchmarks import publish, statistics
from benchmarks.ladder import is_sustained, shortest_sustained
from benchmarks.machine import describe_machine
from benchmarks.measurements import MEASUREMENTS
from benchmarks.options import Options, parse
from benchmarks.pictures import ranges
from benchmarks.report import write
from benchmarks.results import Figures, Results
from benchmarks.run import Run, RunError
from benchmarks.schedule import in_turns
from benchmarks.targets import Target, judge

MS = 1_000_000
LINE = {"p50": 2.0, "p99": 30.0, "max": 400.0}
LATE_ONCE = [0, 10, 25, 30, 40]
"""On a grid of 10, and the third event 5 late."""


def test_one_late_event_is_two_deviating_intervals():
    assert statistics.interval_deviations(LATE_ONCE, 10).tolist() == [0, 5, -5, 0]


def test_times_since_boot_are_not_rounded():
    since_boot = np.array([2**60, 2**60 + 11])
    assert statistics.interval_deviations(since_boot, 10).tolist() == [1]


def test_no_interval_without_two_events():
    assert statistics.interval_deviations([7], 10).tolist() == []
    assert statistics.interval_deviations([], 10).tolist() == []


def test_the_most_punctual_event_lays_the_grid():
    assert statistics.grid_lateness(LATE_ONCE, 10).tolist() == [0, 0, 5, 0, 0]
    assert statistics.grid_lateness([3, 11, 25, 32], 10).tolist() == [2, 0, 4, 1]


def test_the_grid_begins_anew_after_a_timeout():
    """Within two periods an event is late; after more than that the clock has restarted."""
    assert statistics.grid_lateness([0, 10, 30, 40], 10).tolist() == [0, 0, 10, 10]
    assert statistics.grid_lateness([0, 10, 31, 41, 52], 10).tolist() == [0, 0, 0, 0, 1]


def test_grid_lateness_of_nothing():
    assert statistics.grid_lateness([], 10).tolist() == []


def test_late_events_are_no_drift():
    times = 10 * np.arange(100)
    times[[3, 50, 97]] += 9
    assert statistics.drift(times, 10) == 0.0


def test_a_period_that_is_too_long_drifts():
    """From the median of the first tenth, at 4.5, to that of the last, at 94.5, it is 90 periods of one too much."""
    assert statistics.drift(11 * np.arange(100), 10) == 90.0
    assert statistics.drift(9 * np.arange(100), 10) == -90.0


def test_a_timeout_drifts_by_what_it_was_late():
    times = 10 * np.arange(100)
    times[50:] += 25
    assert statistics.drift(times, 10) == 25.0


def test_drift_of_nothing():
    assert math.isnan(statistics.drift([], 10))


def test_tails_are_values_that_were_there():
    assert statistics.tails(range(1, 1001)) == {"p50": 500.0, "p90": 900.0, "p99": 990.0, "max": 1000.0}
    assert statistics.tails([1, 2]) == {"p50": 1.0, "p90": 2.0, "p99": 2.0, "max": 2.0}
    assert all(map(math.isnan, statistics.tails([]).values()))


def test_tails_in_microseconds():
    assert statistics.in_us("x", [1500]) == {"x.p50": 1.5, "x.p90": 1.5, "x.p99": 1.5, "x.max": 1.5}


def test_share_beyond():
    values, shares = statistics.beyond([3, 1, 2, 4])
    assert values.tolist() == [1, 2, 3, 4]
    assert shares.tolist() == [1.0, 0.75, 0.5, 0.25]


@pytest.mark.parametrize(
    ("mean", "timeouts", "sustained"),
    [(1000, 0, True), (1010, 1, True), (990, 1, True), (1011, 0, False), (989, 0, False), (1000, 2, False)],
)
def test_sustained_is_one_percent_of_the_mean_and_a_thousandth_of_timeouts(mean, timeouts, sustained):
    assert is_sustained(mean * np.arange(1001), 1000, timeouts) is sustained


def test_nothing_is_not_sustained():
    assert not is_sustained([], 1000, 0)
    assert not is_sustained([5], 1000, 0)


def test_the_ladder_ends_at_the_first_rung_that_fails_twice():
    tried = []
    answers = {400: [True], 300: [False, True], 200: [False, False], 100: [True]}

    def sustains(period):
        tried.append(period)
        return answers[period].pop(0)

    assert shortest_sustained((400, 300, 200, 100), sustains) == 300
    assert tried == [400, 300, 300, 200, 200]


def test_no_rung_and_every_rung():
    assert shortest_sustained((2, 1), lambda _: False) is None
    assert shortest_sustained((2, 1), lambda _: True) == 1


def results_of(figures, repeats=()):
    results = Results()
    for peer, value in [*figures.items(), *repeats]:
        results.add("jitter", "case", peer, Figures({"p50": value}))
    return results


def verdict(bound, figures, theirs=("a", "b"), repeats=(), every_repeat=False):
    target = Target("what", "jitter", "case", "p50", ("ours",), bound, theirs, every_repeat)
    results = results_of(figures, repeats)
    (found,) = judge(target, results.median, results.worst)
    return found


def test_a_ratio_is_to_the_better_peer():
    found = verdict(0.25, {"ours": 2.0, "a": 9.0, "b": 8.0})
    assert (found.best_peer, found.best, found.value, found.met, found.use_of_bound) == ("b", 8.0, 0.25, True, 1.0)
    assert verdict(0.25, {"ours": 2.1, "a": 9.0, "b": 8.0}).met is False


def test_a_peer_that_was_not_measured_is_passed_over():
    assert verdict(0.5, {"ours": 2.0, "a": 9.0}).best_peer == "a"


@pytest.mark.parametrize("figures", [{"ours": 2.0}, {"a": 1.0, "b": 2.0}, {}])
def test_without_one_of_them_there_is_no_verdict(figures):
    found = verdict(0.5, figures)
    assert found.met is None
    assert math.isnan(found.use_of_bound)


def test_ratios_at_the_ends():
    assert verdict(0.5, {"ours": 0.0, "a": 0.0}).value == 1.0
    assert verdict(0.5, {"ours": 1.0, "a": 0.0}).met is False
    assert verdict(0.5, {"ours": math.inf, "a": 3.0}).met is False
    assert verdict(0.5, {"ours": 3.0, "a": math.inf}).met is True


def test_an_absolute_bound_is_about_the_median():
    repeats = [("ours", 3.0), ("ours", 90.0)]
    assert verdict(3.0, {"ours": 2.0}, (), repeats).met is True
    assert verdict(2.9, {"ours": 2.0}, (), repeats).met is False


def test_a_bound_for_every_repeat_is_about_the_worst():
    assert verdict(0.0, {"ours": 0.0}, (), [("ours", 1.0)], every_repeat=True).met is False
    found = verdict(0.0, {"ours": 0.0}, (), [("ours", 0.0)], every_repeat=True)
    assert (found.met, found.use_of_bound) == (True, 0.0)


def test_results_pool_the_samples_and_keep_the_repeats():
    results = Results()
    for value in (1.0, 5.0, 3.0):
        results.add("m", "c", "p", Figures({"x": value, "y": math.nan}, {"s": np.array([value])}))
    assert results.median("m", "c", "p", "x") == 3.0
    assert math.isnan(results.median("m", "c", "p", "y"))
    assert results.samples("m", "c", "p", "s").tolist() == [1.0, 5.0, 3.0]
    assert results.samples("m", "c", "p", "t").tolist() == []
    assert results.as_json()["m"]["c"]["p"] == {
        "x": {"median": 3.0, "repeats": [1.0, 5.0, 3.0]},
        "y": {"median": None, "repeats": []},
    }


def test_what_is_written_is_json_that_everybody_reads(tmp_path):
    results = results_of({"ours": math.inf, "a": 1.0})
    target = Target("what", "jitter", "case", "p50", ("ours",), 0.5, ("a", "b"))
    write(tmp_path / "r.json", parse(["jitter"], []), {}, results, judge(target, results.median, results.worst))

    def refuse(constant):
        raise AssertionError(constant)

    content = json.loads((tmp_path / "r.json").read_text(), parse_constant=refuse)
    assert content["targets"][0]["met"] is False


def test_results_are_published_between_the_marks(tmp_path, monkeypatch):
    (docs := tmp_path / "docs").mkdir()
    page = docs / "benchmarks.md"
    targets = tmp_path / "README.md"
    for each in page, targets:
        each.write_text(f"before\n{publish._BEGIN}old\n{publish._END}\nafter\n")
    (docs / "figures").mkdir()
    monkeypatch.setattr(publish, "_DOCS", docs)
    monkeypatch.setattr(publish, "_PAGE", page)
    monkeypatch.setattr(publish, "_TARGETS", targets)
    results = results_of({"ours": 1.0, "a": 8.0})
    target = Target("what", "jitter", "case", "p50", ("ours", "not measured"), 0.125, ("a", "b"))
    verdicts = judge(target, results.median, results.worst)
    write(tmp_path / "results.json", parse(["jitter"], []), describe_machine(), results, verdicts)
    for _ in range(2):  # again it replaces what it wrote
        assert publish.main([str(tmp_path)]) == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert text.count("| what | case | ours | 1 | a | 8 | 0.12 |\n") == 1
    assert targets.read_text().count("| what | case | ours | 1 | a | 8 | 0.12 | 0.125 | met |") == 1
    assert "not measured" not in text
    assert not list((docs / "figures").iterdir()), "of these figures there is no picture"
    assert publish.main([]) == 2


def test_the_pictures_of_the_page_are_drawn_from_the_figures(tmp_path):
    image = pytest.importorskip("matplotlib.image")
    figures = {f"jitter.{name}": {"median": us, "repeats": [us, 2 * us]} for name, us in LINE.items()}
    measurement = {"case": {"rtgym_ros-v1": figures, "c-sleep": {"other.p50": {}}}}
    file = tmp_path / "picture.png"
    peers = ("rtgym_ros-v1", "c-sleep", "c-spin")
    assert ranges.draw_ranges(measurement, {"case": "at 50 Hz", "none": "never"}, peers, "jitter", "title (µs)", file)
    assert image.imread(file).shape[1] == 830, "the width of a page"
    assert not ranges.draw_ranges(measurement, {"none": "never"}, peers, "jitter", "title", tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_peers_take_turns_in_being_first():
    runs = [Run(case, peer, (), 1.0) for case in ("x", "y") for peer in "abc"]
    orders = ["".join(run.peer for run in in_turns(runs, repeat)) for repeat in range(4)]
    assert orders == ["abcabc", "bcabca", "cabcab", "abcabc"]


def python(program, timeout_s=10.0):
    return Run("case", "peer", (sys.executable, "-c", program), timeout_s)


def test_a_run_that_fails_says_why_in_one_line():
    assert python("print('{\"a\": 1}')").measure() == {"a": 1}
    with pytest.raises(RunError, match=r"^ValueError: two words$"):
        python("raise ValueError('two words')").measure()
    with pytest.raises(RunError, match=r"^exit code 3$"):
        python("raise SystemExit(3)").measure()
    with pytest.raises(RunError, match="printed no JSON but 'hello'"):
        python("print('hello')").measure()


def test_a_run_that_lasts_too_long_is_ended():
    with pytest.raises(RunError, match=r"^ended after 0\.2 s$"):
        python("import time; time.sleep(60)", timeout_s=0.2).measure()


@pytest.mark.parametrize("name", MEASUREMENTS)
@pytest.mark.parametrize("short", [True, False])
def test_every_target_is_about_something_that_is_measured(name, short):
    measurement = MEASUREMENTS[name](Options((name,), 1, None, short))
    runs = list(measurement.runs())
    assert runs
    if not short and not measurement.notes:  # a note is about peers that cannot be had here
        measured = {(run.case, run.peer) for run in runs}
        for target in measurement.targets():
            assert {(target.case, peer) for peer in (*target.ours, *target.theirs)} <= measured


def test_options():
    assert parse(["a", "b"], []) == Options(("a", "b"), 7, None, False)
    assert parse(["a", "b"], ["--short"]) == Options(("a", "b"), 1, None, True)
    assert parse(["a", "b"], ["--only", "b", "--repeats", "2", "--seconds", "0.5"]) == Options(("b",), 2, 0.5, False)
    some = parse(["a"], ["--cases", "2 ms", "5 ms, idle", "--peers", "x"])
    assert some == Options(("a",), 7, None, False, ("2 ms", "5 ms, idle"), ("x",))
    assert [some.wants(case, "x") for case in ("2 ms, busy", "5 ms, idle", "0.5 ms, idle")] == [True, True, False]
    assert not some.wants("2 ms, idle", "y")
    for wrong in (["--only", "c"], ["--repeats", "0"], ["--seconds", "-1"], ["--seconds", "nan"]):
        with pytest.raises(SystemExit):
            parse(["a", "b"], wrong)
