"""The period is learned from arrivals alone; on stepped time."""

import numpy as np
import pytest

from rtgym_ros.delays.learned_phase import LEARNED_FROM, LearnedPhase, typical_period_ns

MS = 1_000_000
EPOCH = 1_760_000_000_000_000_000


@pytest.mark.parametrize("period_ms", [2.0, 10.0, 33.3])
@pytest.mark.parametrize("lost", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("jitter", [0.0, 0.15])
def test_the_period_is_found_within_a_percent(period_ms, lost, jitter):
    rng = np.random.default_rng(3)
    numbers = np.flatnonzero(rng.random(300) >= lost)[:LEARNED_FROM]
    arrivals = (numbers + rng.uniform(-jitter, jitter, len(numbers))) * period_ms * MS
    found = typical_period_ns([EPOCH + int(a) for a in arrivals])
    assert found == pytest.approx(period_ms * MS, rel=0.01 if jitter else 1e-6)


def test_what_comes_at_once_has_no_period():
    assert typical_period_ns([EPOCH] * 10) is None
    assert typical_period_ns([EPOCH, EPOCH, EPOCH, EPOCH + MS]) is None


def test_nothing_is_shifted_before_the_period_is_known():
    told = []
    phase = LearnedPhase(50 * MS, told.append)
    for number in range(LEARNED_FROM - 1):
        phase.arrived(EPOCH + number * 10 * MS)
        assert phase.shift_ns(EPOCH + number * 10 * MS + 5 * MS) == 0
    phase.arrived(EPOCH + (LEARNED_FROM - 1) * 10 * MS)
    assert phase.follower.period_ns == pytest.approx(10 * MS)
    assert phase.shift_ns(EPOCH + 2000 * MS + 700_000) == pytest.approx(-500_000, abs=20)
    assert told == []


def test_a_robot_that_changes_its_period_is_learned_anew():
    told, now = [], EPOCH
    phase = LearnedPhase(50 * MS, told.append)
    for period_ms in (7, 10):
        for _ in range(3000):
            now += period_ms * MS
            phase.arrived(now)
    assert len(told) == 1
    assert told[0].startswith(
        "no phase to keep: it comes every 7.000 ms, 0.001 ms off at the median, and a time-step is"
    )
    assert phase.follower.period_ns == pytest.approx(10 * MS)
    assert phase.shift_ns(now + 50 * MS + 700_000) == pytest.approx(-500_000, abs=1000)
