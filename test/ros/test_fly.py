"""The program `fly`: robots in processes of their own, flown by files with policies and their contracts alone."""

import re
import signal
import subprocess
import sys
import warnings
from contextlib import closing, contextmanager

import pytest
from flown_policies import arm_onnx, drone_chunks, drone_numpy
from geometry_msgs.msg import PoseStamped, TwistStamped
from robot_peer import Peer
from sensor_msgs.msg import JointState

from rtgym_ros.cli.fly import main
from rtgym_ros.nodes.robot_process import RobotProcess

FLY = [sys.executable, "-m", "rtgym_ros.cli.fly"]
LINE = re.compile(
    r"episode (\d+): (\d+) time-steps, [\d.]+ s, return -?[\d.]+, (terminated|ep_max_length reached); "
    r"\d+ overruns, \d+ timeouts(, \d+ waits for a chunk)?"
)


@contextmanager
def robot(program, namespace, topic, kind):
    """Run a robot; it is up: something has come on its topic."""
    with RobotProcess(program, namespace, ("seed:=7",)):
        with closing(listener(namespace, topic, kind)) as peer:
            peer.wait_for(lambda: peer.seen[topic])
        yield


def listener(namespace, topic, kind):
    return Peer(namespace, {topic: kind}, TwistStamped, "commands_of_nobody")


def fly(*arguments, timeout=110):
    return subprocess.run([*FLY, *map(str, arguments)], capture_output=True, text=True, timeout=timeout)


def episodes(text):
    lines = [LINE.fullmatch(line) for line in text.splitlines()]
    assert all(lines), text
    return lines


@pytest.fixture
def drone_is_up(namespace):
    with robot("drone_node", namespace, "pose", PoseStamped):
        yield


@pytest.mark.timeout(120)
def test_a_numpy_policy_flies_the_drone_and_is_recorded(drone_is_up, namespace, tmp_path):
    pytest.importorskip("safetensors")
    policy, folder = drone_numpy(tmp_path / "policy.safetensors"), tmp_path / "flights"
    ended = fly("drone", "--policy", policy, "--namespace", namespace, "--episodes", 2, "--seed", 3, "--record", folder)
    assert ended.returncode == 0, ended.stderr
    assert "terminated" in [line[3] for line in episodes(ended.stdout)], ended.stdout
    shown = subprocess.run(
        [sys.executable, "-m", "rtgym_ros.cli.recording", "rerun", str(folder)], capture_output=True, text=True
    )
    assert shown.stdout.endswith("observations made again, the same bits\n"), shown.stdout + shown.stderr


@pytest.mark.timeout(120)
def test_a_policy_flies_through_env_node_and_is_recorded(drone_is_up, namespace, tmp_path):
    pytest.importorskip("safetensors")
    from rtgym_ros.record.reading import read_episodes

    policy, folder = drone_numpy(tmp_path / "policy.safetensors"), tmp_path / "flights"
    arguments = ("--policy", policy, "--node", f"{namespace}/env", "--episodes", 2, "--seed", 3, "--record", folder)
    with RobotProcess("env_node", namespace, arguments=["drone"]):
        ended = fly("drone", *arguments)
    assert ended.returncode == 0, ended.stderr
    lines = episodes(ended.stdout)
    assert "terminated" in [line[3] for line in lines], ended.stdout
    assert [len(episode.steps) - 1 for episode in read_episodes(folder)] == [int(line[2]) for line in lines]


@pytest.mark.timeout(120)
def test_an_onnx_policy_flies_the_arm(namespace, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    policy = arm_onnx(tmp_path / "policy.onnx")
    with robot("arm_node", namespace, "joint_states", JointState):
        ended = fly("arm", "--policy", policy, "--episodes", 2, "--seed", 5, "--ros-args", "-r", f"__ns:={namespace}")
    assert ended.returncode == 0, ended.stderr
    assert "terminated" in [line[3] for line in episodes(ended.stdout)], ended.stdout


@pytest.mark.timeout(120)
def test_sigterm_stops_the_robot(drone_is_up, namespace, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    policy = drone_chunks(tmp_path / "policy.onnx", 8)
    peer = listener(namespace, "cmd_vel", TwistStamped)
    command = [*FLY, "drone", "--policy", str(policy), "--namespace", namespace, "--episodes", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        first = process.stdout.readline()
        assert LINE.fullmatch(first.strip()), first + process.stderr.read()
        peer.wait_for(lambda: peer.seen["cmd_vel"])  # a flight may be over before the listener is found
        last = max(peer.seen["cmd_vel"])
        peer.wait_for(lambda: any(stamp > last and speed(seen) for stamp, seen in peer.seen["cmd_vel"].items()))
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors
        peer.wait_for(lambda: speed(peer.newest("cmd_vel")) == 0.0)
    finally:
        process.kill()
        process.wait()
        peer.close()


def speed(message):
    return abs(message.twist.linear.x) + abs(message.twist.linear.y)


@pytest.fixture
def handlers():
    """The signal handlers of the test, back again."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with warnings.catch_warnings():
        yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_what_does_not_fit_is_one_line_that_names_both_sides(namespace, tmp_path, capsys):
    pytest.importorskip("safetensors")
    policy = drone_numpy(tmp_path / "policy.safetensors")
    for arguments, line in (
        (["arm", "--policy", policy], r"policy.safetensors: the policy takes the part 'position', and the environment"),
        (["drone", "--policy", tmp_path / "no.onnx"], "no.onnx: (there is no such file|onnxruntime is not installed)"),
        (["drone"], "--policy"),
        (["boat", "--policy", policy], "boat"),
        (["drone", "--policy", policy, "--episodes", "-1"], "--episodes"),
        (["drone", "--policy", policy, "--patience", "nan"], "--patience"),
        (["drone", "--policy", policy, "--node", "/env", "--guard"], "--guard is for env_node /env"),
        (["drone", "--policy", policy, "--node", "/env", "--record-topics", "all"], "--record-topics is for env_node"),
        (["drone", "--policy", policy, "--record", policy], "policy.safetensors"),
    ):
        try:
            code = main([*map(str, arguments), "--namespace", namespace])
        except SystemExit as error:
            code = error.code
        said = capsys.readouterr().err
        assert code == 2, said
        assert re.search(line, said.splitlines()[-1]), said
        assert len(said.splitlines()) == 1, said


@pytest.mark.usefixtures("handlers")
def test_a_robot_that_is_not_there_is_one_line(namespace, tmp_path, capsys):
    pytest.importorskip("safetensors")
    policy = drone_numpy(tmp_path / "policy.safetensors")
    assert main(["drone", "--policy", str(policy), "--namespace", namespace]) == 1
    assert "robot_ready" in capsys.readouterr().err.splitlines()[-1]
