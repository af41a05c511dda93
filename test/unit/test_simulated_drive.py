import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.robots.drive.kinematics import approach, arc, wrap
from rtgym_ros.robots.drive.odometry import Odometry
from rtgym_ros.robots.drive.simulated_drive import RADIUS, WHEEL_SEPARATION, DriveParameters, SimulatedDrive
from rtgym_ros.robots.drive.world import ROOM, World, closed

MS = 1_000_000
AT_ONCE = DriveParameters(0.0, 0.0, 0.0, 0.0)
SQUARE = World(closed((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)))
numbers = st.floats(-3, 3)


def drive_of(parameters=AT_ONCE, seed=0, world=ROOM):
    return SimulatedDrive(parameters, np.random.default_rng(seed), 0, world=world)


# --- world ---


def test_distances_are_to_the_nearest_point_of_a_wall():
    world = World([((0.0, 0.0), (2.0, 0.0))])
    assert world.distance(1.0, 0.5) == 0.5
    assert world.distance(-3.0, 4.0) == 5.0
    assert world.distance(5.0, -4.0) == 5.0


def test_a_scan_sees_the_walls_of_a_square():
    ranges = SQUARE.scan(0.5, 0.0, np.deg2rad([0, 45, 90, 180, 270]), 10.0)
    np.testing.assert_allclose(ranges, [0.5, math.sqrt(0.5), 1.0, 1.5, 1.0])


def test_what_is_too_far_away_or_behind_is_not_seen():
    world = World([((1.0, -1.0), (1.0, 1.0))])
    assert world.scan(0.0, 0.0, np.zeros(1), 1.0).tolist() == [1.0]
    assert world.scan(0.0, 0.0, np.zeros(1), 0.99).tolist() == [np.inf]
    assert world.scan(0.0, 0.0, np.array([np.pi]), 5.0).tolist() == [np.inf]
    assert world.scan(0.0, 0.0, np.array([np.pi / 2]), 5.0).tolist() == [np.inf], "along the wall"


@given(numbers, numbers, st.floats(-4, 4), st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1))
def test_a_scan_ends_on_a_wall_and_nothing_is_nearer(x, y, angle, walls):
    world = World([((a, b), (c, d)) for a, b, c, d in walls])
    [seen] = world.scan(x, y, np.array([angle]), 100.0)
    shortest = min(seen, 100.0)
    if np.isfinite(seen):
        assert world.distance(x + seen * math.cos(angle), y + seen * math.sin(angle)) < 1e-6
    assert world.distance(x, y) <= shortest + 1e-9


@given(st.integers(0, 100), st.floats(0.2, 0.4))
def test_a_free_point_is_in_the_room_and_clear_of_walls(seed, clearance):
    x, y = ROOM.free_point(np.random.default_rng(seed), clearance)
    assert ROOM.distance(x, y) > clearance
    assert max(abs(x), abs(y)) < 2.0
    assert not (0.9 < x < 1.2 and 0.8 < y < 1.1)


def test_a_world_without_room_is_refused():
    with pytest.raises(ValueError, match=r"no free place found in the world with a clearance of 1\.1 m"):
        SQUARE.free_point(np.random.default_rng(0), 1.1)


@pytest.mark.parametrize("walls", [[], [((0.0, math.nan), (1.0, 1.0))]])
def test_a_world_without_walls_is_refused(walls):
    with pytest.raises(ValueError, match="at least one wall"):
        World(walls)


# --- kinematics ---


def test_a_quarter_of_a_circle():
    assert arc((0.0, 0.0, 0.0), math.pi / 2, math.pi / 2) == pytest.approx((1.0, 1.0, math.pi / 2))
    assert arc((1.0, 2.0, math.pi / 2), -0.5, 0.0) == pytest.approx((1.0, 1.5, math.pi / 2))


@given(numbers, numbers, st.integers(2, 20))
def test_arcs_add_up(distance, turn, parts):
    pose = (0.3, -0.2, 0.7)
    for _ in range(parts):
        pose = arc(pose, distance / parts, turn / parts)
    whole = arc((0.3, -0.2, 0.7), distance, turn)
    assert pose[:2] == pytest.approx(whole[:2], abs=1e-9)
    assert wrap(pose[2] - whole[2]) == pytest.approx(0.0, abs=1e-9)


def test_speeds_approach_what_is_wanted_and_never_pass_it():
    assert approach(0.0, 1.0, 0.3) == 0.3
    assert approach(0.9, 1.0, 0.3) == 1.0
    assert approach(-0.1, -2.0, 0.3) == pytest.approx(-0.4)


# --- odometry ---


@given(st.lists(st.tuples(st.floats(-0.05, 0.05), st.floats(-0.1, 0.1)), max_size=50))
def test_perfect_wheels_are_right(arcs):
    odometry, pose = Odometry(WHEEL_SEPARATION, 0.0, np.random.default_rng(0)), (0.0, 0.0, 0.0)
    for distance, turn in arcs:
        odometry.move(distance, turn)
        pose = arc(pose, distance, turn)
    assert odometry.pose == pytest.approx(pose, abs=1e-9)


def test_real_wheels_drift_with_the_way():
    odometry = Odometry(WHEEL_SEPARATION, 0.01, np.random.default_rng(5))
    errors = []
    for _ in range(3):
        for _ in range(100):
            odometry.move(0.01, 0.0)
        errors.append(abs(odometry.pose[1]) + abs(odometry.pose[0] - len(errors) - 1))
    assert 0 < errors[0] < errors[1] < errors[2]
    odometry.reset()
    assert odometry.pose == (0.0, 0.0, 0.0)


# --- the robot ---


def test_it_accelerates_within_its_limits_and_its_reading_tells():
    drive = drive_of(replace(AT_ONCE, max_acceleration=1.0, max_turn_acceleration=10.0))
    drive.command(0, 1, (5.0, -1.0))
    readings = [sample.reading for sample in drive.advance(300 * MS)]
    speeds = [round(reading.speed, 9) for reading in readings]
    assert speeds == [*(round(0.02 * n, 9) for n in range(12)), 0.22, 0.22, 0.22, 0.22]
    assert [round(reading.turn_rate, 9) for reading in readings][:7] == [0, -0.2, -0.4, -0.6, -0.8, -1.0, -1.0]


def test_it_brakes_for_want_of_commands_and_stops_at_once_when_halted():
    drive = drive_of(replace(AT_ONCE, command_timeout=0.5, max_acceleration=1.0))
    drive.command(0, 1, (0.2, 0.0))
    speeds = [round(sample.reading.speed, 9) for sample in drive.advance(800 * MS)]
    assert speeds[25:28] == [0.2, 0.18, 0.16], "500 ms after the command"
    assert speeds[-1] == 0.0
    drive.command(801 * MS, 2, (0.2, 0.0))
    assert drive.advance(1000 * MS)[-1].reading.speed > 0
    drive.halt()
    assert {sample.reading.speed for sample in drive.advance(1200 * MS)} == {0.0}


def test_a_scan_comes_with_every_fifth_sample():
    samples = drive_of().advance(400 * MS)
    assert [sample.stamp_ns // MS for sample in samples if sample.reading.scan is not None] == [0, 100, 200, 300, 400]
    assert samples[0].reading.scan.shape == (180,)


def test_the_scan_turns_with_the_robot():
    drive = drive_of(replace(AT_ONCE, scan_every=1), world=SQUARE)
    drive.body.pose = (0.5, 0.0, math.pi / 2)
    [sample] = drive.advance(0)
    assert sample.reading.scan[[0, 45, 90, 135]] == pytest.approx([1.0, 1.5, 1.0, 0.5])


def test_a_wall_stops_it_and_lets_it_go_again():
    drive = drive_of(world=SQUARE)
    drive.command(0, 1, (0.22, 0.0))
    drive.advance(10_000 * MS)
    assert 1.0 - RADIUS - 0.22 * 0.02 <= drive.body.pose[0] <= 1.0 - RADIUS
    assert drive.advance(10_020 * MS)[-1].reading.speed == 0.0
    assert drive.body.odometry.pose == pytest.approx(drive.body.pose), "wheels that are blocked do not turn"
    drive.command(10_021 * MS, 2, (-0.22, 0.0))
    drive.advance(12_000 * MS)
    assert drive.body.pose[0] < 0.6


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-4, 4)), max_size=20), st.integers(0, 99))
def test_no_wall_comes_nearer_than_its_radius(commands, seed):
    drive = drive_of(DriveParameters(), seed)
    for number, command in enumerate(commands):
        drive.command(number * 1000 * MS, number + 1, command)
        drive.advance((number + 1) * 1000 * MS)
        assert ROOM.distance(*drive.body.pose[:2]) >= RADIUS


def test_it_returns_to_its_start():
    drive = drive_of(replace(AT_ONCE, odometry_drift=0.05))
    drive.command(0, 1, (0.22, 0.3))
    drive.advance(2000 * MS)
    drive.body.return_to_start()
    assert drive.body.state == (0.0, 0.0, 0.0, 0.0, 0.0)
    assert drive.body.odometry.pose == (0.0, 0.0, 0.0)


def test_the_same_seed_drives_the_same_way():
    def drive(seed):
        robot = drive_of(replace(DriveParameters(), odometry_drift=0.02), seed)
        robot.command(0, 1, (0.2, 0.5))
        return [(s.stamp_ns, s.reading.pose, s.command_stamp_ns) for s in robot.advance(3000 * MS)]

    assert drive(1) == drive(1) != drive(2)
