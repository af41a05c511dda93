"""The contracts that come with the package, each on its simulated robot, against the robot's truth log."""

import re

import gymnasium
import numpy as np
import pytest
from contract_robots.waiting import wait_for
from gymnasium.utils.env_checker import check_env

import rtgym_ros  # noqa: F401
from rtgym_ros.nodes.robot_process import RobotProcess
from rtgym_ros.robots.truth_log import read_truth_log

PROGRAMS = {"drone": "drone_node", "diff_drive": "drive_node", "arm": "arm_node"}
TIME_STEP = 0.01


@pytest.fixture(params=PROGRAMS)
def robot(request, namespace, tmp_path):
    """Name of a contract, whose robot runs and writes its truth log."""
    log = tmp_path / "truth.jsonl"
    with RobotProcess(PROGRAMS[request.param], namespace, ("seed:=7", f"truth_log:={log}")):
        wait_for(namespace)
        yield request.param


def make(contract, namespace, **config):
    return gymnasium.make("rtgym_ros/Contract-v0", contract=contract, namespace=namespace, config=config)


@pytest.fixture
def patient(robot, request, tmp_path):
    """The contract with room for a busy machine; what is too old is tested elsewhere."""
    shipped = (request.config.rootpath / "config" / "contracts" / f"{robot}.yaml").read_text()
    file = tmp_path / "patient.yaml"
    file.write_text(re.sub(r"max_age: [0-9.]+", "max_age: 20.0", shipped))
    return str(file)


def received(tmp_path):
    """Return stamps (ns) and values of the commands that the robot received."""
    events = [event for event in read_truth_log(tmp_path / "truth.jsonl") if event.event == "received"]
    return np.array([e.stamp_ns for e in events]), np.array([e.values for e in events])


def test_gymnasium_is_content(robot, namespace):
    with make(robot, namespace) as env:
        check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.timeout(240)
def test_a_thousand_time_steps_within_the_limits(robot, patient, namespace, tmp_path):
    rng = np.random.default_rng(3)
    with make(patient, namespace, time_step_duration=TIME_STEP, ep_max_length=250) as env:
        env.reset(seed=3)
        for time_step in range(1000):
            if time_step % 10 == 0:
                action = env.action_space.low + rng.random(env.action_space.shape) * np.ptp(
                    (env.action_space.low, env.action_space.high), axis=0
                )
            *_, terminated, truncated, info = env.step(action.astype(np.float32))
            assert not any(np.isnan(age) for age in info["age"].values())
            if terminated or truncated:
                assert "truncation" not in info
                env.reset()
        safe = env.unwrapped.interface.get_safe_action()
    stamps, commands = received(tmp_path)
    assert len(commands) > 900
    if robot == "drone":
        assert np.abs(commands).max() <= 2.0
        assert commands[-1].tolist() == [0.0, 0.0]
    elif robot == "diff_drive":
        assert (np.abs(commands) <= (0.22 + 1e-9, 2.84 + 1e-9)).all()
        changes = np.abs(np.diff(commands, axis=0)) / (np.diff(stamps)[:, None] / 1e9)
        # The safe action of a velocity is not held to max_acceleration: it stops.
        assert (changes[(commands[1:] != 0).any(axis=1)] <= np.array((2.5, 3.2)) * (1 + 1e-6)).all()
        assert commands[-1].tolist() == safe.tolist() == [0.0, 0.0]
    else:
        velocities = np.diff(commands, axis=0) / TIME_STEP
        assert np.abs(velocities).max() <= 2.0 * (1 + 1e-9)
        np.testing.assert_array_equal(commands[-1], commands[-2], "an arm stops where it was told to be")


@pytest.mark.parametrize("render_mode", ["rgb_array"])
def test_pictures(robot, namespace, render_mode):
    pytest.importorskip("cv2")
    with gymnasium.make("rtgym_ros/Contract-v0", contract=robot, namespace=namespace, render_mode=render_mode) as env:
        env.reset(seed=1)
        frame = env.render()
        assert frame.dtype == np.uint8
        assert frame.ndim == 3
        assert len(np.unique(frame)) > 1


def test_stable_baselines3_takes_the_observation_as_it_is(patient, namespace):
    stable_baselines3 = pytest.importorskip("stable_baselines3")
    with make(patient, namespace) as env:
        model = stable_baselines3.SAC("MultiInputPolicy", env, learning_starts=10, buffer_size=100, batch_size=8)
        model.learn(30)
