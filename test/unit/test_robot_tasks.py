"""The tasks of the three robots, which fly, drive and move the simulations to their targets."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from rtgym_ros.contract.forms import observation_part_space
from rtgym_ros.contract.grammar.reader import read_contract
from rtgym_ros.contract.load_code import load_task
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.robots.arm.kinematics import HOME, JOINTS, POSITION_LIMITS
from rtgym_ros.robots.arm.simulated_arm import ArmParameters, SimulatedArm
from rtgym_ros.robots.arm.task import HoldNearHome
from rtgym_ros.robots.drive.kinematics import wrap
from rtgym_ros.robots.drive.simulated_drive import DriveParameters, SimulatedDrive
from rtgym_ros.robots.drive.task import ReachFreePlace
from rtgym_ros.robots.drive.world import ROOM
from rtgym_ros.robots.drone.simulated_drone import DroneParameters, SimulatedDrone
from rtgym_ros.robots.drone.task import FlyToTarget, draw_target, score

MS = 1_000_000
CONTRACTS = Path(__file__).parents[2] / "config" / "contracts"
needs_cv2 = pytest.mark.skipif(importlib.util.find_spec("cv2") is None, reason="cv2 is not installed")


def box(size):
    return spaces.Box(-10.0, 10.0, (size,))


def fly(task, robot, policy, read, seconds=30.0):
    """Run an episode with 50 ms time-steps; return how it ended."""
    target = np.array(task.reset(np.random.default_rng(3), {})["target"])
    robot.advance(1000 * MS)  # a first sample has come
    observation = None
    for step in range(round(seconds / 0.05)):
        now_ns = 1000 * MS + step * 50 * MS
        samples = robot.advance(now_ns)
        if samples:
            observation = read(max(samples, key=lambda sample: sample.stamp_ns).reading)
        if observation is None:
            continue
        reward, terminated, info = task.evaluate(observation, {}, step * 0.05)
        if terminated:
            return reward, info
        robot.command(now_ns, now_ns, tuple(policy(observation, target)))
    raise AssertionError(f"not there after {seconds} s: {info}")


# --- drone ---


def test_the_drone_reaches_its_target():
    drone = SimulatedDrone(DroneParameters(), np.random.default_rng(0), 0)
    reward, info = fly(
        FlyToTarget(),
        drone,
        lambda observation, target: 5.0 * (target - observation["position"]),
        lambda position: {"position": np.array(position)},
    )
    assert reward > -0.01
    assert info["is_success"]


@given(st.integers(0, 1000), st.floats(-1, 1), st.floats(-1, 1))
def test_the_drone_s_task_is_the_tutorial_s(seed, x, y):
    task = FlyToTarget()
    drawn = np.array(task.reset(np.random.default_rng(seed), {})["target"])
    target = draw_target(np.random.default_rng(seed))
    np.testing.assert_allclose(drawn, target, atol=1e-7)
    reward, terminated, _ = task.evaluate({"position": np.array([x, y], dtype=np.float32)}, {}, 0.0)
    expected, reached = score(np.array([x, y]), target)
    assert reward == pytest.approx(expected, abs=1e-6)
    assert terminated == reached or abs(expected + 0.01) < 1e-6


# --- drive ---


def steer(observation, target):
    x, y, heading = observation["pose"]
    distance, bearing = math.hypot(target[0] - x, target[1] - y), math.atan2(target[1] - y, target[0] - x)
    error = wrap(bearing - heading)
    return 0.22 * max(math.cos(error), 0.0) ** 3 * min(2 * distance, 1.0), 2.0 * error


def test_the_drive_reaches_a_place_in_its_room():
    drive = SimulatedDrive(DriveParameters(), np.random.default_rng(0), 0)
    reward, info = fly(ReachFreePlace(), drive, steer, lambda reading: {"pose": np.array(reading.pose)})
    assert reward > -0.1
    assert info["is_success"]


@given(st.integers(0, 10_000))
def test_targets_of_the_drive_are_in_free_space(seed):
    task = ReachFreePlace(clearance=0.3)
    target = task.reset(np.random.default_rng(seed), {})["target"]
    assert ROOM.distance(*target) > 0.3
    assert task.extra_spaces()["target"].contains(task.observe(0.0)["target"])


def test_a_target_may_be_given_but_not_in_a_wall():
    task = ReachFreePlace()
    assert task.reset(np.random.default_rng(0), {"target": [1.0, -1.0]})["target"] == [1.0, -1.0]
    with pytest.raises(ConfigError, match=r"target must be further than 0\.105 m from every wall, got \[1\.0, 0\.8\]"):
        task.reset(np.random.default_rng(0), {"target": [1.0, 0.8]})


@pytest.mark.parametrize(
    ("parts", "args", "message"),
    [
        ({"pose": box(2)}, {}, "part pose must hold x, y and heading"),
        ({"odom": box(3)}, {}, "'pose', which is no part"),
        ({"pose": box(3)}, {"scan": "scan"}, "scan is 'scan', which is no part; allowed: pose"),
    ],
)
def test_what_the_drive_s_task_needs_is_checked(parts, args, message):
    with pytest.raises(ConfigError, match=message):
        ReachFreePlace(**args).check(parts)


def test_what_fits_passes():
    ReachFreePlace(scan="scan").check({"pose": box(3), "scan": box(180)})
    HoldNearHome().check({"joints": box(12)})
    FlyToTarget().check({"position": box(2)})


@pytest.mark.parametrize("clearance", [0.1, 1.0, math.nan])
def test_a_clearance_that_cannot_be_is_refused(clearance):
    with pytest.raises(ConfigError, match="task argument clearance must be between"):
        ReachFreePlace(clearance=clearance)


# --- arm ---


def test_the_arm_reaches_and_holds_a_configuration():
    arm = SimulatedArm(ArmParameters(), np.random.default_rng(0), 0)
    reward, info = fly(
        HoldNearHome(),
        arm,
        lambda observation, target: target,
        lambda reading: {"joints": np.array(reading.positions)},
    )
    assert reward > -0.02
    assert info["held"] >= 0.5


@given(st.integers(0, 1000))
def test_targets_of_the_arm_are_near_home(seed):
    target = HoldNearHome(reach=0.3).reset(np.random.default_rng(seed), {})["target"]
    assert np.abs(np.subtract(target, HOME)).max() <= 0.3


# --- their contracts ---


@pytest.mark.parametrize(
    ("robot", "task", "sizes"),
    [
        ("drone", FlyToTarget, {"position": 2}),
        ("diff_drive", ReachFreePlace, {"pose": 3, "speed": 2, "scan": 36}),
        ("arm", HoldNearHome, {"joints": 6, "speeds": 6}),
    ],
)
def test_the_contract_of_a_robot_names_its_task_and_has_what_it_needs(robot, task, sizes):
    contract = read_contract(CONTRACTS / f"{robot}.yaml")
    assert contract.observation.keys() == sizes.keys()
    made = load_task(contract)
    assert type(made) is task
    made.check({name: observation_part_space(contract.observation[name], (size,)) for name, size in sizes.items()})


def test_contracts_keep_to_what_the_robots_can_do():
    drive, parameters = read_contract(CONTRACTS / "diff_drive.yaml").action["velocity"], DriveParameters()
    assert drive.high == (parameters.max_speed, parameters.max_turn_rate)
    assert drive.limits.max_acceleration == (parameters.max_acceleration, parameters.max_turn_acceleration)
    arm = read_contract(CONTRACTS / "arm.yaml")
    assert arm.observation["joints"].names == JOINTS
    assert (np.array(arm.action["joints"].high) <= POSITION_LIMITS).all()
    assert np.max(arm.action["joints"].limits.max_velocity) <= ArmParameters().max_velocity
    assert read_contract(CONTRACTS / "drone.yaml").action["velocity"].high == DroneParameters().max_speed


# --- pictures ---


@needs_cv2
@pytest.mark.parametrize(
    ("task", "observation", "shape"),
    [
        (FlyToTarget(), {"position": np.zeros(2)}, (400, 400, 3)),
        (ReachFreePlace(scan="scan"), {"pose": np.zeros(3), "scan": np.ones(180)}, (400, 400, 3)),
        (HoldNearHome(), {"joints": np.array(HOME)}, (300, 600, 3)),
    ],
)
def test_tasks_render_the_robot_and_its_target(task, observation, shape):
    task.reset(np.random.default_rng(0), {})
    first = task.render(observation, {})
    task.reset(np.random.default_rng(1), {})
    assert (first.shape, first.dtype) == (shape, np.uint8)
    assert (first != task.render(observation, {})).any(), "another target"
