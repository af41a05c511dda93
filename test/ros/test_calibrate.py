"""`rtgym_ros calibrate` with the shipped robots, over DDS.

Delays are long here, and far from where the result would be another one: a busy machine does not change it.
"""

import shutil
from pathlib import Path

import pytest

from rtgym_ros.cli.calibrate import main
from rtgym_ros.contract.grammar.reader import read_contract
from rtgym_ros.contract.shipped import find_contract
from rtgym_ros.nodes.robot_process import RobotProcess
from rtgym_ros.ros.calibration.flight import fly

CONSTANT = ("command_delay_profile:=constant", "observation_delay_profile:=constant")


def delays(command, observation):
    return (
        *CONSTANT,
        *(f"command_delay_{end}:={command}" for end in ("min", "max")),
        *(f"observation_delay_{end}:={observation}" for end in ("min", "max")),
    )


@pytest.fixture
def contract(tmp_path):
    def copy(name):
        return Path(shutil.copy(find_contract(name), tmp_path / f"{name}.yaml"))

    return copy


@pytest.mark.parametrize(("command", "needed"), [(0.25, 3), (0.45, 4)])
def test_the_buffer_that_a_robot_with_an_echo_needs(command, needed, namespace, contract, tmp_path, capsys):
    file = contract("drone")
    before = file.read_text()
    with RobotProcess("drone_node", namespace, ("seed:=7", "command_timeout:=2.0", *delays(command, 0.05))):
        code = main(
            [
                *(str(file), "--namespace", namespace, "--duration", "10", "--time-step-duration", "0.2"),
                *("--write", "--leave", "start_obs_capture", "--export", str(tmp_path / "drone")),
                *("--plot", str(tmp_path / "drone.png")),
            ]
        )
    printed = capsys.readouterr().out
    assert code == 0
    assert f"  act_buf_len: {needed}\n" in printed
    written = read_contract(file)
    assert (written.time["act_buf_len"], written.time["time_step_duration"]) == (needed, 0.2)
    assert written.observation["position"].max_age >= 1.5 * 0.05
    kept = [line.partition("#")[2] for line in before.splitlines() if "#" in line]
    assert [line.partition("#")[2] for line in file.read_text().splitlines() if "#" in line] == kept
    assert (tmp_path / "drone_action.json").exists()
    assert (tmp_path / "drone.png").stat().st_size > 10_000


def test_the_lag_of_a_robot_without_an_echo(namespace):
    with RobotProcess("arm_node", namespace, ("seed:=7", *delays(0.0, 0.02))):
        found = fly(read_contract(find_contract("arm")), duration=20.0, amplitude=0.5, seed=1, namespace=namespace)
    best = found.responses[0]
    assert best.command == best.column
    assert not best.integrates
    assert best.servo.time_constant == pytest.approx(0.133, abs=0.01), "within a sampling period"
    assert best.servo.lag == pytest.approx(0.133, abs=0.01)


def test_a_robot_that_is_only_watched_gets_no_command(namespace, contract, capsys):
    with RobotProcess("drone_node", namespace, ("seed:=7", *delays(0.02, 0.05))):
        assert main([str(contract("drone")), "--namespace", namespace, "--duration", "1", "--passive"]) == 0
    printed = capsys.readouterr().out
    assert "observation delay (ms)" in printed
    assert "act_buf_len: not known" in printed


def test_a_silent_robot_is_one_line(namespace, contract, capsys):
    assert main([str(contract("drone")), "--namespace", namespace, "--duration", "1"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("calibrate: ")
    assert "drone.yaml" in error or "no message" in error


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--amplitude", "0"], "argument --amplitude: '0' is no number above 0 and up to 1"),
        (["--passive", "--recording", "x"], "not allowed with argument --passive"),
        (["--leave", "robot"], "invalid choice: 'robot'"),
    ],
)
def test_bad_command_lines(arguments, says, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["drone", *arguments])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
