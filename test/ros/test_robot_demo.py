"""The demo of drive and arm, as a program."""

import subprocess
import sys

import pytest


@pytest.mark.timeout(120)
@pytest.mark.parametrize("robot", ["drive", "arm"])
def test_a_robot_is_flown_by_its_contract(robot, tmp_path):
    pytest.importorskip("rich")
    pytest.importorskip("matplotlib")
    picture, folder = tmp_path / "flight.png", tmp_path / "flights"
    command = [sys.executable, "-m", "rtgym_ros.nodes.robot_demo", robot]
    ended = subprocess.run(
        [*command, "--episodes", "2", "--seed", "3", "--plot", str(picture), "--record", str(folder)],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("time-steps, ") == 2
    assert "yes" in ended.stdout, "at least one target is reached"
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    recorded = subprocess.run(
        [sys.executable, "-m", "rtgym_ros.cli.recording", "rerun", str(folder)], capture_output=True, text=True
    )
    assert recorded.returncode == 0, recorded.stdout + recorded.stderr
    assert recorded.stdout.endswith("observations made again, the same bits\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [(["boat"], "boat"), (["arm", "--episodes", "0"], "--episodes"), (["arm", "--plot", "x.jpg"], "--plot")],
)
def test_a_bad_argument_is_one_line(arguments, line):
    command = [sys.executable, "-m", "rtgym_ros.nodes.robot_demo", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert line in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
