import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.robots.drone.dynamics import limit_speed, move
from rtgym_ros.robots.drone.simulated_drone import DroneParameters, SimulatedDrone

MS = 1_000_000
AT_ONCE = DroneParameters(0.0, 0.0, 0.0, 0.0)
speeds = st.tuples(st.floats(-10, 10), st.floats(-10, 10))


def drone_of(parameters=AT_ONCE, seed=0, start_ns=0):
    return SimulatedDrone(parameters, np.random.default_rng(seed), start_ns)


# --- dynamics ---


def test_slow_velocities_are_kept():
    assert limit_speed((0.3, -0.4), 0.5) == (0.3, -0.4)
    assert limit_speed((0.0, 0.0), 0.5) == (0.0, 0.0)


def test_the_speed_is_limited_by_its_norm():
    assert limit_speed((3.0, -4.0), 2.0) == pytest.approx((1.2, -1.6))


@given(speeds, st.floats(0.1, 5))
def test_a_limited_velocity_keeps_its_direction(velocity, max_speed):
    x, y = limit_speed(velocity, max_speed)
    assert math.hypot(x, y) == pytest.approx(min(math.hypot(*velocity), max_speed))
    assert x * velocity[1] == pytest.approx(y * velocity[0])
    assert x * velocity[0] + y * velocity[1] >= 0


def test_a_move_is_velocity_times_duration():
    assert move((0.1, -0.2), (1.0, 2.0), 0.05, 1.0) == pytest.approx((0.15, -0.1))


@pytest.mark.parametrize(("velocity", "corner"), [((9.0, 9.0), (1, 1)), ((-9.0, 9.0), (-1, 1)), ((9.0, -9.0), (1, -1))])
def test_a_move_ends_at_the_walls(velocity, corner):
    assert move((0.5, 0.5), velocity, 1.0, 1.0) == corner


# --- sampling ---


def test_it_is_sampled_every_ten_milliseconds_from_the_start():
    drone = drone_of(start_ns=7)
    assert [sample.stamp_ns for sample in drone.advance(35 * MS + 7)] == [7, 10 * MS + 7, 20 * MS + 7, 30 * MS + 7]
    assert drone.advance(35 * MS + 8) == []
    assert drone.next_event_ns == 40 * MS + 7


def test_it_hovers_at_the_origin_until_commanded():
    samples = drone_of().advance(1000 * MS)
    assert {(sample.reading, sample.command_stamp_ns) for sample in samples} == {((0.0, 0.0), None)}


def test_the_next_event_is_a_sample_or_its_arrival():
    drone = drone_of(replace(AT_ONCE, observation_delay_min=0.012, observation_delay_max=0.012))
    events = []
    for _ in range(5):
        events.append(drone.next_event_ns)
        drone.advance(events[-1])
    assert events == [0, 10 * MS, 12 * MS, 20 * MS, 22 * MS]


def test_a_command_moves_it_from_the_tick_it_arrives_at():
    drone = drone_of()
    drone.advance(5 * MS)
    drone.command(5 * MS, 5 * MS, (1.0, -0.5))
    samples = drone.advance(30 * MS)
    positions = np.array([sample.reading for sample in samples])
    np.testing.assert_allclose(positions, [(0.0, 0.0), (0.01, -0.005), (0.02, -0.01)])
    assert [sample.command_stamp_ns for sample in samples] == [5 * MS] * 3


def test_the_newest_stamp_wins_whatever_the_order_of_arrival():
    drone = drone_of()
    for stamp_ns, speed in ((20, 0.2), (10, 0.1), (20, 0.3), (21, 0.4), (5, 0.5)):
        drone.command(0, stamp_ns, (speed, 0.0))
    first, second = drone.advance(10 * MS)
    assert (first.command_stamp_ns, second.reading[0]) == (21, pytest.approx(0.004))


def test_its_speed_is_limited():
    drone = drone_of()
    drone.command(0, 1, (30.0, 40.0))
    assert drone.advance(10 * MS)[-1].reading == pytest.approx((0.012, 0.016))


@given(st.lists(st.tuples(st.integers(0, 30), speeds), max_size=30), st.integers(0, 99))
def test_it_never_leaves_the_world_nor_its_speed_limit(commands, seed):
    drone = drone_of(DroneParameters(), seed)
    now_ns, samples = 0, []
    for wait_ms, velocity in commands:
        now_ns += wait_ms * MS
        samples += drone.advance(now_ns)
        drone.command(now_ns, now_ns, velocity)
    samples += drone.advance(now_ns + 2000 * MS)
    samples.sort(key=lambda sample: sample.stamp_ns)
    positions = np.array([sample.reading for sample in samples])
    assert np.abs(positions).max() <= 1.0
    assert np.hypot(*np.diff(positions, axis=0).T).max() <= 2.0 * 0.01 + 1e-12


# --- delays ---


def fly(drone, milliseconds, step_ms=1, command_every_ms=7):
    """Command it in a circle, look at it every step_ms, and return (arrival, sample)."""
    seen = []
    for now_ms in range(0, milliseconds, step_ms):
        now_ns = now_ms * MS
        seen += [(now_ns, sample) for sample in drone.advance(now_ns)]
        if now_ms % command_every_ms == 0:
            drone.command(now_ns, now_ns, (math.sin(now_ms), math.cos(now_ms)))
    return seen


def test_delays_of_both_directions_are_within_their_bounds():
    seen = fly(drone_of(DroneParameters()), 3000)
    observation_delays = [at_ns - sample.stamp_ns for at_ns, sample in seen]
    assert len(seen) > 250
    assert all(20 * MS <= delay < 51 * MS for delay in observation_delays), "seen at the next millisecond"
    applied = {}
    for _, sample in sorted(seen, key=lambda entry: entry[1].stamp_ns):
        if sample.command_stamp_ns is not None:
            applied.setdefault(sample.command_stamp_ns, sample.stamp_ns)
    command_delays = [applied_ns - stamp_ns for stamp_ns, applied_ns in applied.items()]
    assert len(command_delays) > 100
    assert all(20 * MS <= delay < 60 * MS for delay in command_delays), "applied at the next sampling"
    assert list(applied) == sorted(applied), "never an older command after a newer one"
    for delays in (observation_delays, command_delays):
        assert min(delays) < 25 * MS
        assert max(delays) > 45 * MS


def test_observations_overtake_each_other():
    stamps = [sample.stamp_ns for _, sample in fly(drone_of(DroneParameters()), 1000)]
    assert stamps != sorted(stamps)


def test_each_direction_has_delays_of_its_own():
    parameters = DroneParameters(0.03, 0.03, 0.02, 0.02)
    drone = drone_of(parameters)
    drone.command(0, 1, (1.0, 0.0))
    samples = drone.advance(49 * MS)
    assert [sample.stamp_ns for sample in samples] == [0, 10 * MS, 20 * MS]
    assert [sample.command_stamp_ns for sample in drone.advance(50 * MS)] == [1]


def test_the_same_seed_flies_the_same_flight():
    assert fly(drone_of(DroneParameters(), 3), 500) == fly(drone_of(DroneParameters(), 3), 500)
    assert fly(drone_of(DroneParameters(), 3), 500) != fly(drone_of(DroneParameters(), 4), 500)


@given(st.sets(st.integers(0, 300), max_size=30), st.sets(st.integers(0, 300), max_size=10), st.integers(0, 99))
def test_a_flight_does_not_depend_on_how_often_it_is_looked_at(looks, commands, seed):
    def flight(looks):
        drone = drone_of(DroneParameters(), seed)
        samples = []
        for now_ms in range(301):
            if now_ms in looks:
                samples += drone.advance(now_ms * MS)
            if now_ms in commands:
                drone.command(now_ms * MS, now_ms * MS, (1.0, now_ms / 300))
        return samples + drone.advance(400 * MS)

    assert flight(looks) == flight(range(301))


# --- want of commands ---


def test_it_flies_on_for_ever_by_default():
    drone = drone_of()
    drone.command(0, 1, (0.001, 0.0))
    assert drone.advance(100_000 * MS)[-1].command_stamp_ns == 1


def test_it_hovers_for_want_of_commands_and_then_believes_an_older_stamp():
    drone = drone_of(replace(AT_ONCE, command_timeout=0.05))
    drone.command(0, 1000, (1.0, 0.0))
    samples = drone.advance(80 * MS)
    assert [sample.command_stamp_ns for sample in samples] == [1000] * 5 + [None] * 4
    flown = [round(100 * sample.reading[0], 6) for sample in samples]
    assert flown == [0, 1, 2, 3, 4, 5, 5, 5, 5]
    drone.command(81 * MS, 3, (-1.0, 0.0))
    samples = drone.advance(140 * MS)
    assert [sample.command_stamp_ns for sample in samples] == [3] * 5 + [None]
    assert samples[-1].reading[0] == pytest.approx(0.0)


def test_every_accepted_command_puts_the_hovering_off_and_no_other():
    drone = drone_of(replace(AT_ONCE, command_timeout=0.05))
    drone.command(0, 10, (1.0, 0.0))
    drone.advance(30 * MS)
    drone.command(31 * MS, 11, (1.0, 0.0))
    drone.advance(60 * MS)
    drone.command(61 * MS, 9, (1.0, 0.0))
    stamps = {sample.stamp_ns // MS: sample.command_stamp_ns for sample in drone.advance(110 * MS)}
    assert stamps == {70: 11, 80: 11, 90: None, 100: None, 110: None}
