"""What is done every time-step: bounds, memory that is used again, the margin of the clock."""

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from rtgym_ros.core.array_ring import ArrayRing
from rtgym_ros.core.bounds import make_is_inside
from rtgym_ros.core.spin_margin import SpinMargin
from rtgym_ros.core.time_source import MonotonicTimeSource
from rtgym_ros.envs.observations import ObservationGuard

US = 1_000

# --- bounds ---

DTYPES = (np.float32, np.float64, np.float16, np.int8, np.int64, np.uint8)
SHAPES = ((), (1,), (2,), (2, 3), (3, 3), (40,))  # on either side of where a loop becomes slower


@given(st.data())
def test_inside_is_what_numpy_says(data):
    dtype, shape = data.draw(st.sampled_from(DTYPES)), data.draw(st.sampled_from(SHAPES))
    arrays = npst.arrays(dtype, shape, elements=npst.from_dtype(np.dtype(dtype), allow_nan=False))
    low, high = data.draw(arrays), data.draw(arrays)
    array = data.draw(st.one_of(st.sampled_from([low, high]), npst.arrays(dtype, shape)))
    assert make_is_inside(low, high)(array) is bool(((low <= array) & (array <= high)).all())


@pytest.mark.parametrize("size", [1, 2, 8, 9])
def test_nan_is_nowhere(size):
    is_inside = make_is_inside(np.full(size, -np.inf), np.full(size, np.inf))
    array = np.zeros(size)
    assert is_inside(array)
    array[-1] = np.nan
    assert not is_inside(array)


# --- memory that is used again ---


def test_a_ring_hands_out_copies_that_nobody_can_write_to():
    ring = ArrayRing((2,), np.dtype(np.float32), 3)
    given = np.array([1, 2], np.float32)
    kept = ring.keep(given)
    given[:] = 0
    assert kept.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 5


def test_a_ring_keeps_the_last_ones_and_uses_the_memory_of_the_oldest():
    ring = ArrayRing((), np.dtype(np.int64), 3)
    kept = [ring.keep(np.array(number)) for number in range(5)]
    assert [int(array) for array in kept] == [3, 4, 2, 3, 4]
    assert np.shares_memory(kept[0], kept[3])


def test_reused_observations_are_those_of_the_last_two_steps_and_of_the_running_one():
    space = spaces.Tuple((spaces.Box(0, 255, (4, 4, 3), np.uint8), spaces.Dict({"x": spaces.Box(-1, 1, (1,))})))
    guard = ObservationGuard(space, "raise", reused=True)
    handed_out = []
    for number in range(9):
        image = np.full((4, 4, 3), number, np.uint8)
        handed_out.append(guard.admit([image, {"x": [number / 10]}], "reset"))
        for age, (seen, parts) in enumerate(reversed(handed_out[-3:])):
            assert (seen == number - age).all()
            assert parts["x"] == np.float32((number - age) / 10)
            assert not seen.flags.writeable
            assert not parts["x"].flags.writeable
    assert len({seen.ctypes.data for seen, _ in handed_out}) == 3


def test_fresh_observations_are_the_learners_own():
    guard = ObservationGuard(spaces.Tuple((spaces.Box(-1, 1, (2,)),)), "raise")
    first, second = (guard.admit([np.zeros(2, np.float32)], "reset")[0] for _ in range(2))
    first[:] = 1
    assert second.tolist() == [0, 0]


# --- the margin ---


def learned(overshoots_ns, least_ns=20 * US, most_ns=500 * US):
    margin = SpinMargin(least_ns, most_ns)
    for overshoot_ns in overshoots_ns:
        margin.learn(overshoot_ns)
    return margin.ns


@given(st.lists(st.integers(0, 10**10)))
def test_the_margin_stays_within_its_bounds(overshoots_ns):
    assert 20 * US <= learned(overshoots_ns) <= 500 * US


def test_wake_ups_that_are_all_alike_need_no_more_than_that():
    assert learned([100 * US] * 500) == pytest.approx(100 * US, abs=US)


def test_it_covers_nearly_all_of_wake_ups_that_vary():
    rng = np.random.default_rng(1)
    wake_ups = (50 + 10 * rng.standard_normal(5000)) * US
    margin = SpinMargin(20 * US, 500 * US)
    missed = 0
    for wake_up_ns in wake_ups:
        missed += wake_up_ns > margin.ns
        margin.learn(int(wake_up_ns))
    assert missed < 50
    assert margin.ns < 130 * US


def test_one_stall_costs_little_and_not_for_long():
    calm = [50 * US, 60 * US] * 100
    before, after = learned(calm), learned([*calm, 10**9])
    assert before < after < 1.5 * before
    assert learned([*calm, 10**9, *calm]) == pytest.approx(before, rel=0.01)


def test_a_machine_that_has_become_slower_is_followed():
    assert learned([50 * US] * 200 + [200 * US] * 200) == pytest.approx(200 * US, rel=0.1)


@pytest.mark.parametrize("spins", [True, False])
def test_a_clock_that_only_sleeps_is_on_time_too(monkeypatch, spins):
    """It asks to be woken at the deadline, the other one before."""
    slept_s = []
    monkeypatch.setattr("rtgym_ros.core.time_source.sleep", slept_s.append)
    source = MonotonicTimeSource()
    source.spins = spins
    now_ns = source.now_ns()
    monkeypatch.setattr("rtgym_ros.core.time_source.monotonic_ns", iter([now_ns, now_ns, now_ns + 10**9]).__next__)
    source.sleep_until_ns(now_ns + 10**9)
    assert slept_s == [pytest.approx(1.0 - (80e-6 if spins else 0.0))]
