import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.core.histogram import DurationHistogram


def histogram_of(*durations_ns):
    histogram = DurationHistogram()
    for duration_ns in durations_ns:
        histogram.add(duration_ns)
    return histogram


@given(st.lists(st.integers(1, 2**44), min_size=1, max_size=300), st.floats(0.1, 100.0))
def test_percentiles_are_within_their_error(durations_ns, percent):
    exact = np.percentile(durations_ns, percent, method="inverted_cdf")
    assert histogram_of(*durations_ns).percentile_ns(percent) == pytest.approx(exact, rel=0.006)


def test_the_count_the_sum_and_the_maximum_are_exact():
    histogram = histogram_of(3, 1_000_001, 5)
    assert (histogram.count, histogram.sum_ns, histogram.max_ns) == (3, 1_000_009, 1_000_001)


def test_no_percentile_exceeds_the_maximum():
    assert histogram_of(1_000_001).percentile_ns(99) <= 1_000_001


def test_what_is_too_short_or_too_long_counts_at_the_end():
    assert histogram_of(0, -5, 1).percentile_ns(100) == 1
    assert histogram_of(2**60).percentile_ns(50) == 2**44


def test_it_does_not_grow():
    histogram = histogram_of(1)
    size = len(histogram._counts)
    for duration_ns in range(1, 10_000, 7):
        histogram.add(duration_ns)
    assert len(histogram._counts) == size


def test_of_nothing_there_is_no_percentile():
    assert math.isnan(DurationHistogram().percentile_ns(50))
