import os
import signal
import subprocess
import sys

import pytest

PROGRAM = [sys.executable, "-m", "rtgym_ros.nodes.topics"]


def run(*arguments):
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_it_lists_them(drone, namespace, observe_pose):
    done = run("list", "--wait", "5")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{namespace}/pose  geometry_msgs/msg/PoseStamped  1 publishers, " in done.stdout


@pytest.fixture
def observe_pose(drone, namespace):
    """Wait until the drone publishes."""
    assert run("echo", f"{namespace}/pose", "-n", "1").returncode == 0


def test_it_shows_messages(observe_pose, namespace):
    done = run("echo", "pose", "-n", "2", "--ros-args", "-r", f"__ns:={namespace}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n---\n") == 2
    assert "  frame_id: 'map'\n" in done.stdout
    assert "pose:\n  position:\n    x: " in done.stdout


def test_latched_ones_too(observe_pose, namespace):
    done = run("echo", f"{namespace}/robot_ready", "-n", "1")
    assert (done.returncode, done.stdout) == (0, "data: True\n---\n")


def test_it_counts(observe_pose, namespace):
    done = run("hz", f"{namespace}/pose", "-n", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert " Hz, " in done.stdout
    assert not done.stdout.startswith("0.0 Hz")


def test_one_that_nobody_publishes_is_one_line(observe_pose, namespace):
    done = run("echo", f"{namespace}/poze")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"topics: nobody publishes {namespace}/poze (did you mean '{namespace}/pose'?)" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_signal_ends_it(observe_pose, namespace):
    process = subprocess.Popen(
        [*PROGRAM, "echo", f"{namespace}/pose"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout.readline() == "header:\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize("arguments", [("echo",), ("hz", "x", "-n", "0"), ("lst",)])
def test_bad_input_is_one_line(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
