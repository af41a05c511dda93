import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.core.elastic_clock import NEVER_NS, ElasticClock, TimeStep

DURATION, CAPTURE, ELASTICITY, TOLERANCE = 50_000_000, 40_000_000, 50_000_000, 2_500_000


@pytest.fixture
def clock():
    return ElasticClock(DURATION, CAPTURE, ELASTICITY, TOLERANCE)


def test_the_first_time_step_begins_now(clock):
    assert clock.current is None
    first = clock.begin(1234)
    assert first == TimeStep(index=0, start_ns=1234, capture_ns=1234 + CAPTURE, end_ns=1234 + DURATION, began_ns=1234)
    assert clock.current is first


def test_a_time_step_is_frozen(clock):
    with pytest.raises(AttributeError):
        clock.begin(0).end_ns = 1


def test_the_nominal_grid_does_not_drift_by_a_nanosecond():
    clock = ElasticClock(33_333_333, 33_333_333, 33_333_333)
    time_step = clock.begin(5)
    for index in range(1, 100_001):
        time_step = clock.begin(time_step.end_ns + index % 1000)  # as late as a wake-up is
        assert time_step.start_ns == 5 + index * 33_333_333
    assert time_step.end_ns == 5 + 100_001 * 33_333_333
    assert clock.time_steps == 100_001
    assert clock.timeouts == 0


def test_an_overrun_is_caught_up(clock):
    end_ns = clock.begin(0).end_ns
    late = clock.begin(end_ns + 30_000_000)
    assert (late.start_ns, late.lateness_ns, late.overrun, late.timed_out) == (end_ns, 30_000_000, True, False)
    after = clock.begin(late.end_ns)
    assert (after.start_ns, after.lateness_ns, after.overrun) == (2 * DURATION, 0, False)
    assert (clock.overruns, clock.timeouts) == (1, 0)


def test_a_timeout_restarts_the_grid_and_is_counted(clock):
    end_ns = clock.begin(0).end_ns
    now_ns = end_ns + ELASTICITY + 17
    late = clock.begin(now_ns)
    assert late == TimeStep(
        1, now_ns, now_ns + CAPTURE, now_ns + DURATION, now_ns, ELASTICITY + 17, overrun=False, timed_out=True
    )
    assert clock.begin(late.end_ns).start_ns == now_ns + DURATION
    assert (clock.overruns, clock.timeouts) == (0, 1)


def test_the_boundary_of_the_elasticity():
    on_time, too_late = ElasticClock(50, 50, 20), ElasticClock(50, 50, 20)
    on_time.begin(0)
    too_late.begin(0)
    just = on_time.begin(50 + 20 - 1)
    assert (just.start_ns, just.overrun, just.timed_out) == (50, True, False)
    exactly = too_late.begin(50 + 20)
    assert (exactly.start_ns, exactly.overrun, exactly.timed_out) == (70, False, True)


def test_without_elasticity_not_even_the_punctual_stay_on_the_grid():
    clock = ElasticClock(50, 50, 0)
    clock.begin(0)
    assert clock.begin(50).timed_out
    assert not clock.begin(99).timed_out


@pytest.mark.parametrize(("lateness_ns", "overrun"), [(0, False), (TOLERANCE, False), (TOLERANCE + 1, True)])
def test_lateness_within_the_tolerance_is_no_overrun(clock, lateness_ns, overrun):
    end_ns = clock.begin(0).end_ns
    time_step = clock.begin(end_ns + lateness_ns)
    assert (time_step.overrun, time_step.lateness_ns, time_step.start_ns) == (overrun, lateness_ns, end_ns)
    assert clock.overruns == overrun


def test_a_time_step_begun_early_starts_at_the_end_of_the_previous(clock):
    end_ns = clock.begin(0).end_ns
    early = clock.begin(end_ns - 1_000_000)
    assert (early.start_ns, early.lateness_ns, early.overrun) == (end_ns, 0, False)


def test_a_pause_excuses_the_next_time_step_only(clock):
    end_ns = clock.begin(0).end_ns
    clock.pause()
    resumed = clock.begin(end_ns + 10**12)
    assert (resumed.start_ns, resumed.timed_out, resumed.overrun) == (end_ns + 10**12, False, False)
    assert clock.timeouts == 0
    assert clock.begin(resumed.end_ns + ELASTICITY).timed_out
    assert clock.timeouts == 1


def test_a_pause_is_spent_by_a_time_step_that_did_not_need_it(clock):
    end_ns = clock.begin(0).end_ns
    clock.pause()
    punctual = clock.begin(end_ns)
    assert clock.begin(punctual.end_ns + ELASTICITY).timed_out


@pytest.mark.parametrize("capture_ns", [0, 20, 50, 80])
def test_the_capture_may_be_due_before_at_and_after_the_end(capture_ns):
    clock = ElasticClock(50, capture_ns, 50)
    for index in range(4):
        time_step = clock.begin(1000 + 50 * index)
        assert time_step.capture_ns == 1000 + 50 * index + capture_ns
        assert time_step.end_ns == 1000 + 50 * (index + 1)


def test_retime_takes_effect_from_the_next_time_step(clock):
    running = clock.begin(0)
    clock.retime(10, 5, 7)
    assert clock.current is running
    assert running.end_ns == DURATION
    after = clock.begin(running.end_ns)
    assert (after.start_ns, after.capture_ns, after.end_ns) == (DURATION, DURATION + 5, DURATION + 10)
    assert clock.begin(after.end_ns + 7).timed_out


def test_retime_takes_effect_on_how_late_the_next_may_be(clock):
    end_ns = clock.begin(0).end_ns
    clock.retime(DURATION, CAPTURE, 2 * ELASTICITY)
    assert not clock.begin(end_ns + ELASTICITY).timed_out


@pytest.mark.parametrize("timing", [(0, 0, 0, 0), (-1, 0, 0, 0), (1, -1, 0, 0), (1, 0, -1, 0), (1, 0, 0, -1)])
def test_bad_timing_is_refused_and_changes_nothing(clock, timing):
    with pytest.raises(ValueError, match="the clock needs duration_ns > 0"):
        ElasticClock(*timing)
    with pytest.raises(ValueError, match=str(min(timing))):
        clock.retime(*timing)
    assert clock.begin(0).end_ns == DURATION


timings = st.tuples(
    st.integers(1, 100), st.integers(0, 150), st.one_of(st.integers(0, 200), st.just(NEVER_NS)), st.integers(0, 20)
)
moves = st.tuples(st.integers(-50, 400), st.booleans(), st.one_of(st.none(), timings))


@given(timings, st.integers(-1000, 1000), st.lists(moves, max_size=30))
def test_any_flight_of_the_clock_follows_the_rules(timing, first_ns, flight):
    """Against a model: a move is how late the caller is, whether it paused before, and a new timing or None."""
    clock = ElasticClock(*timing)
    previous = clock.begin(first_ns)
    duration, offset, elasticity, tolerance = timing
    overruns = timeouts = 0
    for late_ns, paused, retimed in flight:
        if paused:
            clock.pause()
        if retimed:
            clock.retime(*retimed)
            duration, offset, elasticity, tolerance = retimed
        now_ns = previous.end_ns + late_ns
        time_step = clock.begin(now_ns)
        kept = late_ns < (min(elasticity, duration) if paused else elasticity)
        assert time_step.start_ns == (previous.end_ns if kept else now_ns)
        assert time_step.lateness_ns == max(0, late_ns)
        assert time_step.timed_out == (not kept and not paused)
        assert time_step.overrun == (kept and late_ns > tolerance)
        assert time_step.capture_ns - time_step.start_ns == offset
        assert time_step.end_ns - time_step.start_ns == duration
        assert time_step.index == previous.index + 1
        assert clock.current is time_step
        overruns += time_step.overrun
        timeouts += time_step.timed_out
        previous = time_step
    assert (clock.overruns, clock.timeouts, clock.time_steps) == (overruns, timeouts, len(flight) + 1)


def test_nothing_is_caught_up_after_a_pause():
    clock = ElasticClock(DURATION, CAPTURE, NEVER_NS)
    end_ns = clock.begin(0).end_ns
    clock.pause()
    assert clock.begin(end_ns + 20 * DURATION).start_ns == end_ns + 20 * DURATION
    assert (clock.overruns, clock.timeouts) == (0, 0)


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=20))
def test_an_elasticity_of_never_never_times_out(latenesses):
    clock = ElasticClock(DURATION, CAPTURE, NEVER_NS)
    time_step = clock.begin(0)
    for index, late_ns in enumerate(latenesses, start=1):
        time_step = clock.begin(time_step.end_ns + late_ns)
        assert time_step.start_ns == index * DURATION
    assert clock.timeouts == 0


def test_without_a_tolerance_a_nanosecond_late_is_an_overrun():
    clock = ElasticClock(50, 50, 20)
    clock.begin(0)
    assert clock.begin(51).overrun
    clock.retime(50, 50, 20)
    assert not clock.begin(100).overrun
    assert clock.begin(151).overrun


def test_a_shift_moves_one_capture_and_all_after_it(clock):
    first = clock.begin(0)
    assert clock.next_capture_ns == DURATION + CAPTURE
    clock.shift_next_capture(300_000)
    clock.shift_next_capture(-500_000)  # this one counts
    assert clock.current is first, "the running time-step stays as it is"
    second = clock.begin(first.end_ns)
    assert (second.start_ns, second.capture_ns) == (DURATION, DURATION + CAPTURE - 500_000)
    assert (second.end_ns, second.lateness_ns, second.overrun) == (2 * DURATION - 500_000, 0, False)
    third = clock.begin(second.end_ns)
    assert (third.start_ns, third.end_ns) == (second.end_ns, second.end_ns + DURATION)


def test_a_shift_counts_from_where_a_late_time_step_begins(clock):
    end_ns = clock.begin(0).end_ns
    clock.shift_next_capture(1000)
    late = clock.begin(end_ns + ELASTICITY)
    assert (late.start_ns, late.end_ns, late.timed_out) == (end_ns + ELASTICITY, late.start_ns + DURATION + 1000, True)


def test_a_grid_that_is_left_forgets_its_shift(clock):
    clock.begin(0)
    clock.shift_next_capture(1000)
    clock.restart()
    assert clock.next_capture_ns is None
    assert clock.begin(7).end_ns == 7 + DURATION


@pytest.mark.parametrize("shift_ns", [DURATION // 2 + 1, -DURATION // 2 - 1])
def test_a_shift_of_more_than_half_a_time_step_is_refused(clock, shift_ns):
    with pytest.raises(ValueError, match=f"not before the start, got {shift_ns} ns"):
        clock.shift_next_capture(shift_ns)


def test_no_capture_comes_before_its_time_step():
    clock = ElasticClock(DURATION, 1000, ELASTICITY)
    clock.shift_next_capture(-1000)
    with pytest.raises(ValueError, match="got -1001 ns"):
        clock.shift_next_capture(-1001)
    clock.retime(DURATION, 10, ELASTICITY)
    assert clock.begin(0).capture_ns == 0
