import contextlib
import os
import re
import signal
import subprocess
import sys

import numpy as np
import psutil
import pytest
import rclpy
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.executors import SingleThreadedExecutor

from rtgym_ros.nodes.robot_process import RobotProcess

TUTORIAL = [sys.executable, "-m", "rtgym_ros.nodes.drone_tutorial"]
TIMEOUT_S = 90


def run(namespace, *arguments):
    ros = ["--ros-args", "-r", f"__ns:={namespace}"]
    done = subprocess.run([*TUTORIAL, *arguments, *ros], capture_output=True, text=True, timeout=TIMEOUT_S)
    done.stderr = without_timeouts(done.stderr)
    return done


def without_timeouts(errors):
    """Return what a flight says but for the time-steps that a busy machine has delayed."""
    late = r"time-step \d+ timed out: |the robot applied the action sent \d+ time-steps before the newest, "
    return re.sub(rf"^\[WARN\].* ({late}).*\n", "", errors, flags=re.MULTILINE)


@pytest.fixture
def observer():
    """A node that others see."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("observer", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield node
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)


def drones():
    """Return the process ids of the drones of this user, in the domain of this test."""
    mine = set()
    for process in psutil.process_iter(["cmdline", "uids"]):
        is_drone = "rtgym_ros.nodes.drone_node" in (process.info["cmdline"] or ())
        if not is_drone or process.info["uids"].real != os.getuid():
            continue
        with contextlib.suppress(psutil.Error):  # it has just ended
            if process.environ().get("ROS_DOMAIN_ID") == os.environ["ROS_DOMAIN_ID"]:
                mine.add(process.pid)
    return mine


def test_it_records(namespace, tmp_path):
    pytest.importorskip("mcap")
    from rtgym_ros.record.reading import read_episodes

    folder = tmp_path / "flights"
    done = run(namespace, "--episodes", "1", "--policy", "predictor", "--seed", "3", "--record", str(folder))
    assert done.returncode == 0, done.stderr
    (episode,) = read_episodes(folder)
    assert episode.is_over
    assert f"recording: {folder}, {len(episode.steps)} time-steps\n" in done.stdout


def test_a_folder_that_cannot_be_made(namespace, tmp_path):
    (tmp_path / "file").touch()
    done = run(namespace, "--episodes", "1", "--record", str(tmp_path / "file"))
    assert done.returncode == 2
    assert done.stderr.startswith("drone_tutorial: --record: ")
    assert done.stderr.count("\n") == 1


def test_it_flies_and_tells(namespace, tmp_path):
    picture = tmp_path / "flight.png"
    before = drones()
    done = run(namespace, "--episodes", "2", "--policy", "predictor,hover", "--seed", "3", "--plot", str(picture))
    assert (done.returncode, done.stderr) == (0, "")
    for expected in ("predictor", "hover", "yes", "no", "100 %", "0 %", "send", "capture", "inference", "--seed 3"):
        assert expected in done.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert drones() <= before


def test_it_flies_what_was_learned(namespace, tmp_path):
    pytest.importorskip("safetensors")
    from rtgym_ros.policies.weights import PolicyWeights

    learned = tmp_path / "learned.safetensors"
    gains = np.hstack([-np.eye(2), np.eye(2), np.zeros((2, 8))]).astype(np.float32)  # x, y, target, actions under way
    for weight in (gains, gains[:, :4]):
        arrays = {"mean.weight": weight, "mean.bias": np.zeros(2, np.float32)}
        PolicyWeights("squashed_gaussian_mlp", 1, arrays, {}).save(learned)
        done = run(namespace, "--episodes", "1", "--policy", str(learned), "--seed", "3")
        if weight is gains:
            assert (done.returncode, done.stderr) == (0, "")
            assert re.search(r"learned +1 +-[\d.]+ +\d+ .*yes", done.stdout), done.stdout
    assert done.returncode == 2
    assert re.fullmatch(rf"drone_tutorial: --policy {learned}: .* takes shape \(4,\), .* = 12 values\n", done.stderr), (
        done.stderr
    )


def test_the_same_seed_flies_to_the_same_targets(namespace):
    flights = [run(namespace, "--episodes", "1", "--policy", "hover", "--seed", "11").stdout for _ in range(2)]
    returns = [re.findall(r"hover +\d +(-[\d.]+)", flight) for flight in flights]
    assert len(returns[0]) == 1
    assert returns[0] == returns[1]


def test_parameters_are_not_for_a_drone_that_runs_already(namespace, tmp_path):
    done = run(namespace, "--attach", "--params-file", str(tmp_path / "drone.yaml"))
    assert done.returncode == 2
    assert "--params-file is for a drone that is started here" in done.stderr
    assert done.stderr.count("\n") == 1


def test_it_attaches_to_a_drone_that_flies(drone, namespace):
    before = drones()
    done = run(namespace, "--episodes", "1", "--policy", "predictor", "--attach")
    assert done.returncode == 0, done.stderr
    assert drones() >= before  # and leaves it alone


def test_it_flies_a_drone_of_its_own_where_another_one_is(drone, namespace, observer):
    commands = []
    observer.create_subscription(TwistStamped, f"{namespace}/cmd_vel", commands.append, 10)
    done = run(namespace, "--episodes", "1", "--policy", "predictor")
    assert (done.returncode, done.stderr) == (0, "")
    assert observer.count_publishers(f"{namespace}/pose") == 1
    rclpy.spin_once(observer, executor=observer.executor, timeout_sec=0.0)
    assert commands == []


@pytest.mark.parametrize("topic", ["pose", "cmd_vel"])
def test_it_joins_nobody_elses_topics_unless_told(drone, namespace, observer, topic):
    if topic == "pose":
        observer.create_publisher(PoseStamped, f"{namespace}/pose", 10)
    else:
        observer.create_subscription(TwistStamped, f"{namespace}/cmd_vel", lambda _: None, 10)
    done = run(namespace, "--episodes", "1", "--policy", "predictor", "--attach")
    assert done.returncode == 2
    *warnings, last = done.stderr.splitlines()
    assert re.search(f"/observer (publishes|would obey) {topic} too: .*ROS_DOMAIN_ID", last)
    assert all("publish on" in line and line.startswith("[WARN]") for line in warnings), "as every environment does"
    if topic == "cmd_vel":
        done = run(namespace, "--episodes", "1", "--policy", "predictor", "--attach", "--with-others")
        assert done.returncode == 0
        assert "ROS_DOMAIN_ID" not in done.stderr, "it does not refuse"


@pytest.mark.parametrize("own", [True, False], ids=["its own", "attached"])
def test_a_drone_that_dies_ends_the_flight(namespace, drone, own):
    flight = subprocess.Popen(
        [*TUTORIAL, "--policy", "hover", *(() if own else ("--attach",)), "--ros-args", "-r", f"__ns:={namespace}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert flight.stdout.readline().startswith("seed ")
    while "hover        episode 1" not in flight.stdout.readline():
        assert flight.poll() is None, flight.stderr.read()
    children = [child.pid for child in psutil.Process(flight.pid).children() if child.pid in drones()]
    os.kill(children[0] if own else drone._process.pid, signal.SIGKILL)
    shown, errors = flight.communicate(timeout=TIMEOUT_S)
    assert flight.returncode == 1
    *before, last = errors.splitlines()
    assert "Traceback" not in "".join(before)  # but what its node warns of: a late time-step, the safe action
    if own:
        assert last == "drone_tutorial: the drone is gone: drone_node ended with exit code -9"
    else:  # within an episode, or when the next one begins
        assert re.search(
            r": the drone is gone: its last pose is \d\.\d s old$|: no new message on .*/pose for 10 s", last
        )
    assert "Timing" in shown  # what was flown until then


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_lands_and_shows_what_was_flown(namespace, number, code):
    before = drones()
    process = subprocess.Popen(
        [*TUTORIAL, "--policy", "predictor,hover", "--episodes", "3", "--ros-args", "-r", f"__ns:={namespace}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    shown = ""
    while "predictor    episode 3" not in shown:  # now hover's first episode begins: five seconds of it
        line = process.stdout.readline()
        assert line, process.stderr.read()
        shown += line
    process.send_signal(number)
    process.send_signal(number)
    rest, errors = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == code, errors
    assert without_timeouts(errors) == ""
    assert "predictor" in rest
    assert "Timing" in rest
    assert drones() <= before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--policy", "predicter"),
            "must be among p_controller, predictor, random, hover, or end in .safetensors, got 'predicter' "
            "(did you mean 'predictor'?)",
        ),
        (("--episodes", "-1"), "argument --episodes: must be a whole number >= 1, got '-1'"),
        (("--gain", "nan"), "argument --gain: must be a number >= 0, got 'nan'"),
        (("--speed", "3"), "unrecognized arguments: --speed 3"),
        (("--plot", "flight.svg"), "argument --plot: must be a file name that ends in .png, got 'flight.svg'"),
        (("--plot", "no/such/flight.png"), "argument --plot: must be in a folder that exists"),
        (("--params-file", "missing.yaml"), "missing.yaml"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(namespace, arguments, message):
    done = run(namespace, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1,\n  b: }", "drone.yaml"),
        ("/**:\n  ros__parameters:\n    max_sped: 1.0\n", "no parameter 'max_sped' (did you mean 'max_speed'?)"),
        ("/**:\n  ros__parameters:\n    max_speed: -1.0\n", "'max_speed' of node"),
    ],
)
def test_a_bad_params_file_is_one_line_and_exit_code_2(namespace, tmp_path, text, message):
    file = tmp_path / "drone.yaml"
    file.write_text(text)
    done = run(namespace, "--params-file", str(file))
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_it_flies_through_the_guard(drone, namespace):
    guard = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "rtgym_ros.nodes.guard",
            "drone",
            "--until-eof",
            "--ros-args",
            "-r",
            f"__ns:={namespace}",
        ],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        done = run(namespace, "--episodes", "1", "--policy", "predictor", "--attach", "--guard")
        assert done.returncode == 0, done.stderr
        assert "cm from the target, reached" in done.stdout
    finally:
        _, told = guard.communicate(timeout=TIMEOUT_S)
    assert guard.returncode == 0
    assert "forwards commands of agent" in told


@pytest.mark.parametrize("own", [True, False], ids=["its own", "attached"])
def test_it_flies_through_env_node(namespace, tmp_path, own):
    """The clock is in another process, and the tables are those of the flight all the same."""
    pytest.importorskip("mcap")
    from rtgym_ros.record.reading import read_episodes

    folder, picture = tmp_path / "flights", tmp_path / "flight.png"
    arguments = ["--host", "node", "--episodes", "2", "--policy", "predictor", "--seed", "3", "--record", str(folder)]
    with contextlib.ExitStack() as stack:
        if not own:
            for program, contract in (("drone_node", []), ("env_node", ["drone_tutorial"])):
                stack.enter_context(RobotProcess(program, namespace, arguments=contract))
            arguments.append("--attach")
        done = run(namespace, *arguments, "--plot", str(picture))
    assert (done.returncode, done.stderr) == (0, "")
    for expected in ("predictor", "100 %", "send to send", "age of the pose", "repeat with --seed 3"):
        assert expected in done.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    flown = [len(episode.steps) - 1 for episode in read_episodes(folder)]
    assert f"{sum(flown)} time-steps of 50 ms" in done.stdout


def test_a_bad_params_file_is_told_without_waiting_for_env_node(namespace, tmp_path):
    file = tmp_path / "drone.yaml"
    file.write_text("/**:\n  ros__parameters:\n    max_speed: -1.0\n")
    done = run(namespace, "--host", "node", "--params-file", str(file))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "'max_speed' of node" in done.stderr


def test_a_guard_is_for_a_drone_that_runs_already(namespace):
    done = run(namespace, "--guard")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "say --attach too" in done.stderr
    done = run(namespace, "--attach", "--guard", "--host", "node")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "parameter of env_node" in done.stderr
