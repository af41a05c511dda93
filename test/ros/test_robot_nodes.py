"""What all robots' nodes promise: exit codes, namespaces, the truth log, commands for a time to come, clock jumps."""

import signal
import subprocess
import sys

import pytest
from geometry_msgs.msg import PoseStamped, TwistStamped
from nav_msgs.msg import Odometry
from robot_peer import Peer
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from rtgym_ros.core.time_source import NS_PER_S
from rtgym_ros.nodes.robot_process import RobotProcess
from rtgym_ros.robots.truth_log import read_truth_log
from rtgym_ros.ros.stamps import to_time

MS = 1_000_000
ROBOTS = {
    "drone_node": ({"pose": PoseStamped}, TwistStamped, "cmd_vel", "applied_action"),
    "drive_node": ({"odom": Odometry}, TwistStamped, "cmd_vel"),
    "arm_node": ({"joint_states": JointState}, Float64MultiArray, "commands"),
}


def twist(speed):
    message = TwistStamped()
    message.twist.linear.x = speed
    return message


@pytest.fixture
def peer_of():
    peers = []

    def make(program, namespace):
        peers.append(Peer(namespace, *ROBOTS[program]))
        return peers[-1]

    yield make
    for peer in peers:
        peer.close()


def start(program, namespace, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", f"rtgym_ros.nodes.{program}", *arguments, "--ros-args", "-r", f"__ns:={namespace}"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def has_sampled(peer):
    return lambda: all(peer.seen.values())


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, "end of input"])
@pytest.mark.parametrize("program", ROBOTS)
def test_it_ends_cleanly(program, namespace, end, peer_of):
    process = start(program, namespace, "--until-eof")
    peer = peer_of(program, namespace)
    peer.wait_for(has_sampled(peer))
    if isinstance(end, signal.Signals):
        process.send_signal(end)
    _, errors = process.communicate(timeout=30)  # closes its standard input
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize("program", ["drive_node", "arm_node"])
def test_bad_arguments_are_one_line_and_exit_code_2(program, namespace):
    process = start(program, namespace, "--speed", "3")
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (2, f"{program}: unrecognized arguments: --speed 3\n")


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("truth_log:=/nowhere/at/all", "truth log '/nowhere/at/all' cannot be written: No such file or directory"),
        ("command_delay_profile:=wify", "parameter 'command_delay_profile': unknown delay profile 'wify': one of "),
    ],
)
def test_bad_parameters_are_one_line_and_exit_code_2(namespace, parameter, message):
    process = start("drive_node", namespace, "--ros-args", "-p", parameter)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert errors.startswith(f"drive_node: {message}")
    assert errors.count("\n") == 1


def test_two_of_them_in_one_graph(namespace, peer_of):
    with RobotProcess("drive_node", f"{namespace}/a"), RobotProcess("drive_node", f"{namespace}/b"):
        first, second = peer_of("drive_node", f"{namespace}/a"), peer_of("drive_node", f"{namespace}/b")
        second.wait_for(has_sampled(second))
        first.wait_for(has_sampled(first))
        first.send_until(lambda: twist(0.2), lambda: first.newest("odom").pose.pose.position.x > 0.05)
        second.pull()
        assert second.newest("odom").pose.pose.position.x == 0.0
        assert set(second.applied.values()) == {0}


def test_the_truth_log_tells_what_the_echo_tells(namespace, tmp_path, peer_of):
    path = tmp_path / "truth.jsonl"
    with RobotProcess("drone_node", namespace, ("seed:=7", f"truth_log:={path}")):
        peer = peer_of("drone_node", namespace)
        peer.wait_for(has_sampled(peer))
        peer.send_until(lambda: twist(0.1), lambda: len(set(peer.applied.values())) >= 5)
        bad = peer.send(twist(float("nan")))
        peer.wait_for(lambda: any(event.stamp_ns == bad for event in read_truth_log(path)))  # while it is being written
        peer.send_until(lambda: twist(0.0), lambda: peer.applied_now() > bad)
        events = list(read_truth_log(path))
    samples = {event.time_ns: event for event in events if event.event == "sample"}
    known = [stamp for stamp in peer.applied if stamp in samples]
    assert len(known) >= 10
    assert [peer.applied[stamp] for stamp in known] == [samples[stamp].stamp_ns or 0 for stamp in known]
    for stamp, message in peer.seen["pose"].items():
        assert (message.pose.position.x, message.pose.position.y) == samples[stamp].values
    received = {event.stamp_ns: event.time_ns for event in events if event.event == "received"}
    applied = {event.stamp_ns: event.time_ns for event in events if event.event == "applied"}
    assert applied.keys() - {None} <= received.keys()
    assert all(20 * MS <= applied[stamp] - received[stamp] <= 60 * MS for stamp in applied if stamp is not None)
    [dropped] = [event for event in events if event.event == "dropped" and event.stamp_ns == bad]
    assert dropped.reason == "(nan, 0.0) is not finite"
    assert bad not in applied


def test_the_truth_log_outlives_a_robot_that_is_killed(namespace, tmp_path, peer_of, kill_drone):
    path = tmp_path / "truth.jsonl"
    with RobotProcess("drive_node", namespace, (f"truth_log:={path}",)) as robot:
        peer = peer_of("drive_node", namespace)
        peer.wait_for(lambda: len(peer.applied) >= 20)
        kill_drone(robot)
        peer.pull()
    sampled = {event.time_ns for event in read_truth_log(path) if event.event == "sample"}
    assert peer.applied.keys() <= sampled, "whatever it has told is in the log"


def test_a_command_is_applied_at_its_stamp(namespace, tmp_path, peer_of):
    path = tmp_path / "truth.jsonl"
    with RobotProcess("drone_node", namespace, (f"truth_log:={path}", "apply_at_stamp:=true")):
        peer = peer_of("drone_node", namespace)
        peer.wait_for(has_sampled(peer))
        peer.send_until(lambda: twist(0.0), lambda: peer.applied_now() > 0)
        stamp = peer.send(twist(0.1), stamp_ns=peer.now_ns() + 300 * MS)
        peer.wait_for(lambda: stamp in peer.applied.values())
        [applied] = [
            event.time_ns for event in read_truth_log(path) if (event.event, event.stamp_ns) == ("applied", stamp)
        ]
    assert 0 <= applied - stamp < 10 * MS, "at the first sampling from then on, which is the robot's own clock"


def test_a_clock_that_was_set_back_starts_the_robot_again(namespace, peer_of):
    start_ns = 1_700_000_000 * NS_PER_S
    with RobotProcess("drive_node", namespace, ("use_sim_time:=true",)):
        peer = peer_of("drive_node", namespace)
        clock = peer.session.node.create_publisher(Clock, "/clock", 1)
        now_ns = start_ns

        def advance():
            nonlocal now_ns
            now_ns += 10 * MS
            clock.publish(Clock(clock=to_time(now_ns)))
            message = twist(0.2)
            peer.send(message, stamp_ns=now_ns)
            peer.pull()
            return False

        def x():
            return peer.newest("odom").pose.pose.position.x if peer.seen["odom"] else 0.0

        peer.wait_for(lambda: advance() or x() > 0.1)
        now_ns = start_ns - 3600 * NS_PER_S
        peer.seen["odom"].clear()
        peer.wait_for(lambda: advance() or any(stamp < start_ns for stamp in peer.seen["odom"]))
        again = [message for stamp, message in sorted(peer.seen["odom"].items()) if stamp < start_ns]
        assert again[0].pose.pose.position.x < 0.1
        peer.seen["odom"] = {stamp: m for stamp, m in peer.seen["odom"].items() if stamp < start_ns}
        peer.wait_for(lambda: advance() or x() > 0.1)
