"""Each profile against its distribution, with a fixed seed: a test statistic that is off by chance stays so."""

import json
import math

import numpy as np
import pytest

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.delays.named_profile import make_profile
from rtgym_ros.delays.network_profiles import WIFI_PROBABILITIES, BurstyDelays, WifiDelays
from rtgym_ros.delays.profiles import ConstantDelays, GammaDelays, UniformDelays, describe
from rtgym_ros.delays.recorded_delays import RecordedDelays

stats = pytest.importorskip("scipy.stats")

COUNT = 20_000
ALL = [
    ConstantDelays(0.03),
    UniformDelays(0.02, 0.05),
    GammaDelays(0.01, 2.0, 0.005),
    BurstyDelays(0.02, 0.03, 0.08, 0.2, 0.02, 0.2),
    WifiDelays(),
    RecordedDelays((0.01, 0.02, 0.05)),
]


def drawn(profile, seed=0, count=COUNT):
    draw = profile.draws(np.random.default_rng(seed))
    return np.array([draw() for _ in range(count)])


@pytest.mark.parametrize("profile", ALL, ids=describe)
def test_the_same_seed_draws_the_same_delays_within_the_maximum(profile):
    delays = drawn(profile, 1, 500)
    assert (delays == drawn(profile, 1, 500)).all()
    assert (delays >= 0).all()
    assert (delays <= profile.maximum).all()
    if not isinstance(profile, ConstantDelays):
        assert (delays != drawn(profile, 2, 500)).any()


@pytest.mark.parametrize("profile", ALL, ids=describe)
def test_nanoseconds_are_the_same_delays(profile):
    draw = profile.draws_ns(np.random.default_rng(1))
    assert [draw() for _ in range(50)] == [round(delay * 1e9) for delay in drawn(profile, 1, 50)]


def test_constant():
    assert set(drawn(ConstantDelays(0.03))) == {0.03}


def test_uniform():
    assert stats.kstest(drawn(UniformDelays(0.02, 0.05)), stats.uniform(0.02, 0.03).cdf).pvalue > 0.01


def test_gamma():
    assert stats.kstest(drawn(GammaDelays(0.01, 2.0, 0.005)), stats.gamma(2.0, 0.01, 0.005).cdf).pvalue > 0.01
    assert GammaDelays(0.01, 2.0, 0.005).maximum == math.inf


def test_wifi_has_the_probabilities_of_its_classes_and_is_uniform_within():
    for classes in (6, 4):
        profile = WifiDelays(classes)
        delays = drawn(profile)
        steps = np.ceil(delays / 0.02 - 1e-12).astype(int)
        counts = np.bincount(steps, minlength=classes + 1)[1:]
        expected = np.array([*WIFI_PROBABILITIES[: classes - 1], sum(WIFI_PROBABILITIES[classes - 1 :])])
        assert stats.chisquare(counts, COUNT * expected / expected.sum()).pvalue > 0.01
        within = delays[steps == 2] / 0.02 - 1
        assert stats.kstest(within, stats.uniform(0, 1).cdf).pvalue > 0.01
    assert sum(WIFI_PROBABILITIES) == pytest.approx(1.0)


def test_bursts_are_as_frequent_and_as_long_as_they_should_be():
    enter, leave = 0.02, 0.2
    bad = drawn(BurstyDelays(0.02, 0.03, 0.08, 0.2, enter, leave), count=100_000) > 0.05
    assert bad.mean() == pytest.approx(enter / (enter + leave), rel=0.05)
    edges = np.flatnonzero(np.diff(bad.astype(int)))
    first = edges[0 if bad[edges[0] + 1] else 1 :]
    lengths = (first[1::2] - first[0::2][: len(first[1::2])]).astype(int)
    # Geometric: P(n) = leave (1 - leave)^(n - 1); the tail is one class.
    counts = np.bincount(np.minimum(lengths, 15), minlength=16)[1:]
    expected = np.array([leave * (1 - leave) ** (n - 1) for n in range(1, 15)] + [(1 - leave) ** 14])
    assert stats.chisquare(counts, len(lengths) * expected).pvalue > 0.01


def test_recorded_delays_come_in_their_order_or_by_themselves():
    trace = tuple(np.random.default_rng(0).gamma(2, 0.01, 200))
    in_order = drawn(RecordedDelays(trace), count=400)
    start = trace.index(in_order[0])
    assert tuple(in_order[:200]) == trace[start:] + trace[:start]
    assert tuple(in_order[200:]) == tuple(in_order[:200])
    assert stats.ks_2samp(drawn(RecordedDelays(trace, in_order=False)), trace).pvalue > 0.01


def test_a_recording_is_what_was_saved(tmp_path):
    recorded = RecordedDelays((0.011, 0.0205, 0.03), in_order=False)
    recorded.save(tmp_path / "delays.json")
    assert RecordedDelays.load(tmp_path / "delays.json") == recorded
    assert make_profile(f"recorded:{tmp_path / 'delays.json'}") == recorded


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no recording of delays: "),
        ("{", "no recording of delays: "),
        ("[]", "no recording of delays of version 1 in s"),
        (json.dumps({"version": 2, "unit": "s", "delays": [1]}), "of version 1"),
        (json.dumps({"version": 1, "unit": "s", "delays": "no"}), "delays must be a list of numbers"),
        (json.dumps({"version": 1, "unit": "s", "delays": [True]}), "delays must be a list of numbers"),
        (json.dumps({"version": 1, "unit": "s", "delays": []}), "at least one"),
        (json.dumps({"version": 1, "unit": "s", "delays": [-1]}), "none negative"),
        (json.dumps({"version": 1, "unit": "s", "delays": [1], "in_order": 1}), "in_order must be true or false"),
    ],
)
def test_a_bad_file_is_refused_in_one_line_with_its_name(tmp_path, text, message):
    path = tmp_path / "delays.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError) as error:
        RecordedDelays.load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_profiles_by_name():
    assert make_profile("constant", 0.02, 0.05) == ConstantDelays(0.05)
    assert make_profile("uniform", 0.02, 0.05) == UniformDelays(0.02, 0.05)
    assert make_profile("wifi") == WifiDelays()
    bursty = make_profile("bursty", 0.02, 0.05)
    assert (bursty.low, bursty.maximum) == (0.02, 0.05)
    gamma = make_profile("gamma", 0.02, 0.05)
    assert stats.gamma(2.0, gamma.low, gamma.scale).ppf(0.99) == pytest.approx(0.05)
    assert make_profile("gamma", 0.02, 0.02).maximum == 0.02


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("wify",), r"unknown delay profile 'wify': .* \(did you mean 'wifi'\?\)"),
        (("recorded:",), "unknown delay profile 'recorded:'"),
        (("uniform", 0.05, 0.02), r"low must be at most high \(0.02\), got 0.05"),
        (("gamma", -1.0, 0.02), r"low must be in \[0, inf\], got -1.0"),
        (("constant", 0.0, math.nan), "high must be in .*, got nan"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        make_profile(*arguments)


def test_values_of_a_profile_are_checked():
    with pytest.raises(ConfigError, match="enter must be in"):
        BurstyDelays(0, 1, 0, 1, enter=1.5)
    with pytest.raises(ConfigError, match="burst_low must be at most burst_high"):
        BurstyDelays(0, 1, 2, 1)
    with pytest.raises(ConfigError, match="classes must be in"):
        WifiDelays(7)
    with pytest.raises(ConfigError, match="shape must be in"):
        GammaDelays(0, 0, 1)


def test_a_link_that_never_turns_bad():
    assert drawn(BurstyDelays(0, 1, 5, 6, enter=0.0, leave=0.0), count=200).max() <= 1


def test_a_profile_is_described_in_a_line():
    assert describe(UniformDelays(0.02, 0.05)) == "uniform (low=0.02, high=0.05)"
    assert describe(RecordedDelays((0.01,))) == "recorded (in_order=1)"
