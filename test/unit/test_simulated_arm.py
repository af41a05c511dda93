import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.robots.arm.kinematics import HOME, JOINTS, POSITION_LIMITS, joint_points, link_frames
from rtgym_ros.robots.arm.simulated_arm import ArmParameters, SimulatedArm

MS = 1_000_000
AT_ONCE = ArmParameters(0.0, 0.0, 0.0, 0.0)
positions = st.tuples(*(st.floats(-limit, limit) for limit in POSITION_LIMITS))


def arm_of(parameters=AT_ONCE, seed=0):
    return SimulatedArm(parameters, np.random.default_rng(seed), 0)


def moved(by):
    return tuple(np.array(HOME) + by)


def test_it_stands_at_home_until_commanded():
    readings = {sample.reading for sample in arm_of().advance(500 * MS)}
    assert {(r.positions, r.velocities) for r in readings} == {(HOME, (0.0,) * 6)}


@pytest.mark.parametrize("lag", [0.04, 0.133, 0.2])
def test_the_servo_lags_exactly_as_a_first_order_system(lag):
    arm = arm_of(replace(AT_ONCE, servo_time_constant=lag, max_velocity=1e9))
    arm.command(0, 1, moved(0.5))
    for sample in arm.advance(1000 * MS):
        response = 0.5 * (1 - math.exp(-sample.stamp_ns / 1e9 / lag))
        assert sample.reading.positions == pytest.approx(moved(response), abs=1e-12)


def test_the_dead_time_comes_before_the_lag():
    arms = [arm_of(replace(AT_ONCE, servo_dead_time=dead)) for dead in (0.0, 0.05)]
    for arm in arms:
        arm.command(0, 1, moved(0.2))
    at_once, later = ([sample.reading.positions for sample in arm.advance(500 * MS)] for arm in arms)
    assert later == [HOME] * 5 + at_once[:-5]


def test_a_servo_without_lag_is_there_after_one_period():
    arm = arm_of(replace(AT_ONCE, servo_time_constant=0.0))
    arm.command(0, 1, moved(0.02))
    assert arm.advance(10 * MS)[-1].reading.positions == pytest.approx(moved(0.02))


@given(st.lists(positions, min_size=1, max_size=5))
def test_positions_and_velocities_keep_their_limits(commands):
    arm, seen = arm_of(), []
    for number, command in enumerate(commands):
        arm.command(number * 500 * MS, number + 1, tuple(3 * np.array(command)))
        seen += [sample.reading for sample in arm.advance((number + 1) * 500 * MS - 1)]
    path = np.array([reading.positions for reading in seen])
    assert (np.abs(path) <= POSITION_LIMITS).all()
    assert np.abs(np.diff(path, axis=0)).max() <= math.pi * 0.01 + 1e-12
    np.testing.assert_allclose(np.diff(path, axis=0) / 0.01, [reading.velocities for reading in seen[1:]], atol=1e-9)


def test_without_commands_it_goes_on_to_the_last_one():
    arm = arm_of(replace(AT_ONCE, command_timeout=0.05))
    arm.command(0, 1, moved(0.3))
    samples = arm.advance(3000 * MS)
    assert samples[-1].command_stamp_ns is None
    assert samples[-1].reading.positions == pytest.approx(moved(0.3))


@pytest.mark.parametrize("dead_time", [0.0, 0.03])
def test_a_halt_holds_it_where_it_is(dead_time):
    arm = arm_of(replace(AT_ONCE, servo_dead_time=dead_time))
    arm.command(0, 1, moved(0.5))
    arm.advance(195 * MS)
    arm.halt()
    held = arm.body.state[:6]
    assert held != HOME
    assert {sample.reading.positions for sample in arm.advance(1000 * MS)} == {held}


# --- forward kinematics ---


def test_the_arm_stretched_out_is_as_long_as_its_links():
    points = joint_points((0.0,) * 6)
    np.testing.assert_allclose(points[2], (-0.425, 0.0, 0.1625), atol=1e-12)
    np.testing.assert_allclose(points[-1], (-0.8172, -0.2329, 0.0628), atol=1e-12)


def test_at_home_the_tool_points_down_beside_the_base():
    frames = link_frames(HOME)
    np.testing.assert_allclose(frames[2][:3, 3], (0.0, 0.0, 0.5875), atol=1e-12)
    np.testing.assert_allclose(frames[3][:3, 3], (-0.3922, 0.0, 0.5875), atol=1e-12)
    np.testing.assert_allclose(frames[-1][:3, 2], (0.0, 0.0, -1.0), atol=1e-12)


@given(positions)
def test_links_keep_their_lengths_and_frames_are_rotations(angles):
    frames = link_frames(angles)
    lengths = np.linalg.norm(np.diff(frames[:, :3, 3], axis=0), axis=1)
    np.testing.assert_allclose(lengths, [0.1625, 0.425, 0.3922, 0.1333, 0.0997, 0.0996], atol=1e-9)
    for frame in frames:
        np.testing.assert_allclose(frame[:3, :3] @ frame[:3, :3].T, np.eye(3), atol=1e-9)


@given(positions, st.floats(-3, 3))
def test_the_first_joint_turns_the_whole_arm_about_the_vertical(angles, turn):
    turned = joint_points((angles[0] + turn, *angles[1:]))
    rotation = np.array([[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1]])
    np.testing.assert_allclose(turned, joint_points(angles) @ rotation.T, atol=1e-9)


def test_the_joints_are_six():
    assert len(JOINTS) == len(HOME) == len(POSITION_LIMITS) == 6
