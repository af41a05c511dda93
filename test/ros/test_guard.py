"""The guard over DDS: real processes that die, messages that are none, and a robot that notes what it received."""

import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack, closing, suppress
from itertools import pairwise

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TwistStamped
from guard.scene import AgentProcess, GuardProcess, count, received, wait_until, write_contract
from nav_msgs.msg import Odometry
from robot_peer import SENSOR, Peer
from rtgym_ros.msg import GuardedCommand
from sensor_msgs.msg import Joy
from std_msgs.msg import Bool, String
from std_srvs.srv import Trigger

from rtgym_ros.contract.shipped import find_contract
from rtgym_ros.nodes.robot_process import RobotProcess
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession

DRIVEN, SAFE = (0.2, 0.5), (0.0, 0.0)


@pytest.fixture
def log(tmp_path, namespace):
    """A drive that writes down what it receives."""
    path = tmp_path / "truth.jsonl"
    with RobotProcess("drive_node", namespace, ("seed:=7", f"truth_log:={path}")):
        wait_until(path.exists)
        yield path


@pytest.fixture
def peer(log, namespace):
    """The other end of the topics of robot and guard."""
    peer = Peer(namespace, {"odom": Odometry}, TwistStamped, "agent/cmd_vel")
    yield peer
    peer.close()


def twist(speed=DRIVEN[0], turn_rate=DRIVEN[1]):
    message = TwistStamped()
    message.twist.linear.x, message.twist.angular.z = speed, turn_rate
    return message


def drive(peer, log, seconds=60.0, until=lambda: False):
    """Command the robot at 20 Hz until it is true, from within the test's process."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        peer.send(twist())
        time.sleep(0.05)


@pytest.mark.parametrize("way", ["killed", "stopped", "loops"])
def test_whatever_becomes_of_the_agent_the_robot_gets_the_safe_action_again_and_again(way, log, namespace, tmp_path):
    with GuardProcess(write_contract(tmp_path), namespace), AgentProcess(namespace) as agent:
        wait_until(lambda: count(log, DRIVEN) >= 10)
        agent.fail(way)
        before = len(received(log))  # on a busy machine the agent may have been silent for a while before
        wait_until(lambda: count(log, SAFE, before) >= 20)
        commands = [values for _, values in received(log)]
        under_way = commands.index(SAFE, before)
        assert set(commands[before:under_way]) <= {DRIVEN}
        assert set(commands[under_way:]) == {SAFE}
        if way == "stopped":
            agent.go_on()
            wait_until(lambda: count(log, DRIVEN, len(commands)) >= 5)


def test_a_log_that_nobody_reads_does_not_hold_up_the_safe_action(log, namespace, tmp_path):
    """As of a terminal that is stopped, or of a launch that hangs: the pipe is full from the beginning."""
    fifo = tmp_path / "log"
    os.mkfifo(fifo)
    ours = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)  # stays open: nobody reads, and nobody has gone
    try:
        with suppress(BlockingIOError):
            while os.write(ours, bytes(4096)):
                pass
        logs_there = ("sh", "-c", f'exec "$@" 2>{fifo}', "sh")
        guard = GuardProcess(write_contract(tmp_path), namespace, before=logs_there)
        with guard, AgentProcess(namespace) as agent:
            wait_until(lambda: count(log, DRIVEN) >= 10)
            agent.fail("killed")
            before = len(received(log))
            wait_until(lambda: count(log, SAFE, before) >= 20)
            assert guard.end() == 0
    finally:
        os.close(ours)


def test_without_an_agent_nothing_is_sent_and_at_the_end_the_safe_action(peer, log, namespace, tmp_path):
    with GuardProcess(write_contract(tmp_path), namespace) as guard:
        peer.wait_for(lambda: peer.session.node.count_subscribers(f"{namespace}/agent/cmd_vel"))
        assert received(log) == []
        drive(peer, log, until=lambda: count(log, DRIVEN) > 5)
        assert guard.end() == 0
        wait_until(lambda: received(log)[-1][1] == SAFE)


def test_what_is_no_command_does_nothing_and_ends_nothing(peer, log, namespace, tmp_path):
    node = peer.session.node
    with ExitStack() as stack, GuardProcess(write_contract(tmp_path, lock="lock: e_stop"), namespace) as guard:
        drive(peer, log, until=lambda: count(log, SAFE) > 2)  # nobody speaks on the lock
        garbage = [b"", b"\0", b"\0\1\0\0", b"\0\1\0\0" + b"\xff" * 64, b"\xff" * 4000, bytes(range(256)) * 8]
        bad = [node.create_publisher(kind, name, 10) for kind, name in
               ((TwistStamped, "agent/cmd_vel"), (Joy, "joy"), (Bool, "e_stop"))]  # fmt: skip
        # One participant has one type on a topic.
        other = stack.enter_context(closing(RosSession("stranger", namespace, arguments=["program"])))
        strings = other.node.create_publisher(String, "agent/cmd_vel", 10)
        for _ in range(20):
            for publisher in bad:
                for data in garbage:
                    with suppress(RuntimeError):  # what the middleware itself refuses to send
                        publisher.publish(data)
            bad[1].publish(Joy(axes=[float("nan")] * 2))
            bad[1].publish(Joy(axes=[1.0]))
            strings.publish(String(data="forward"))
            time.sleep(0.01)
        assert guard.exit_code is None
        assert count(log, SAFE) == len(received(log))
        released = bad[2]

        def both():
            released.publish(Bool(data=False))
            return count(log, DRIVEN) > 5

        drive(peer, log, until=both)
        assert guard.exit_code is None


def test_a_joystick_takes_over_within_the_limits_and_the_lock_stops_everybody(peer, log, namespace, tmp_path):
    contract = write_contract(tmp_path, "limits: {max_acceleration: [0.5, 100.0]}", "lock: e_stop")
    node = peer.session.node
    sent = PulledSubscription(node, GuardedCommand, f"{namespace}/guard/sent", SENSOR)
    said = PulledSubscription(node, DiagnosticArray, "/diagnostics", SENSOR)
    joystick, lock = node.create_publisher(Joy, "joy", 10), node.create_publisher(Bool, "e_stop", 10)
    sources, messages = [], []

    def turn(locked, axes):
        lock.publish(Bool(data=locked))
        if axes is not None:
            joystick.publish(Joy(axes=axes))
        sources.extend((message.source, message.locked) for message, _ in sent.take())
        messages.extend(status for message, _ in said.take() for status in message.status)

    def phase(locked, axes, wanted, has_come=lambda speed: True):
        sources.clear()

        def done():
            turn(locked, axes)
            commands = received(log)
            return sources[-5:] == [wanted] * 5 and bool(commands) and has_come(commands[-1][1][0])

        drive(peer, log, until=done)

    with GuardProcess(contract, namespace, ("diagnostics_period:=0.1",)):
        phase(False, None, ("agent", False), lambda speed: speed > 0.1)
        phase(False, [0.0, -1.0], ("joystick", False), lambda speed: speed < -0.1)
        phase(True, [0.0, -1.0], ("", True), lambda speed: speed == 0.0)
        phase(False, None, ("agent", False), lambda speed: speed > 0.1)
    commands = received(log)
    jumps = [abs(b[1][0] - a[1][0]) for a, b in pairwise(commands) if b[1] != SAFE]
    assert max(jumps) <= 0.5 * 0.05 + 1e-9
    assert min(values[0] for _, values in commands) < -0.1
    name = f"{namespace.lstrip('/')}/guard: "
    found = {(status.name.removeprefix(name), status.message, status.level) for status in messages}
    assert ("commands", "forwards commands of joystick", b"\0") in found
    assert ("commands", "sends the safe action, for the lock is engaged", b"\2") in found
    assert ("lock", "engaged", b"\2") in found
    assert {("input agent", "live", b"\0"), ("input joystick", "silent", b"\3")} <= found


def test_standing_by_is_silence(peer, log, namespace, tmp_path):
    with GuardProcess(write_contract(tmp_path), namespace):
        drive(peer, log, until=lambda: count(log, DRIVEN) > 5)
        assert peer.call(Trigger, "guard/stand_by", Trigger.Request()).success
        before = len(received(log))
        time.sleep(1.0)
        assert {values for _, values in received(log)[before:]} <= {DRIVEN}, "on its way when it was called"
        drive(peer, log, until=lambda: count(log, DRIVEN, before) > 5)


def test_an_arm_is_moved_from_where_it_is_and_within_its_limits(namespace, tmp_path):
    """Whatever an input wants: the shipped contract, positions with first_from."""
    import numpy as np
    from sensor_msgs.msg import JointState
    from std_msgs.msg import Float64MultiArray
    from std_srvs.srv import SetBool

    path = tmp_path / "truth.jsonl"
    with (
        RobotProcess("arm_node", namespace, ("seed:=7", f"truth_log:={path}")),
        GuardProcess("arm", namespace) as guard,
    ):
        wait_until(path.exists)
        peer = Peer(namespace, {"joint_states": JointState}, Float64MultiArray, "agent/commands")
        lock = peer.session.node.create_publisher(Bool, "e_stop", 10)
        peer.wait_for(lambda: peer.seen["joint_states"])
        assert peer.call(SetBool, "controller_manager/switch_controller", SetBool.Request(data=True)).success
        home = [dict(zip(peer.newest("joint_states").name, peer.newest("joint_states").position, strict=True))[name]
                for name in ("shoulder_pan_joint", "shoulder_lift_joint", "elbow_joint",
                             "wrist_1_joint", "wrist_2_joint", "wrist_3_joint")]  # fmt: skip
        end = time.monotonic() + 60.0
        while len(received(path)) < 60:
            assert time.monotonic() < end
            lock.publish(Bool(data=False))
            peer.send(Float64MultiArray(data=[joint + 1.0 for joint in home]))
            time.sleep(0.05)
        assert guard.exit_code is None
        peer.close()
    commands = np.array([values for _, values in received(path)])
    np.testing.assert_allclose(commands[0], home, atol=0.1 + 1e-3)
    assert np.abs(np.diff(commands, axis=0)).max() <= 2.0 * 0.05 + 1e-9
    assert commands[:, 0].max() > home[0] + 0.5


def test_an_environment_behind_the_guard(peer, log, namespace, tmp_path):
    import gymnasium

    contract = write_contract(tmp_path)
    with GuardProcess(contract, namespace) as guard:
        peer.wait_for(lambda: peer.session.node.count_subscribers(f"{namespace}/agent/cmd_vel"))
        with gymnasium.make(
            "rtgym_ros/Contract-v0", contract=str(contract), namespace=namespace, guard=True, config={"act_buf_len": 6}
        ) as env:
            env.reset(seed=1)
            for _ in range(20):
                *_, info = env.step([0.1, 0.2])
            # The stamps are the environment's own: the robot's echo still tells it the delay.
            assert info["action_delay"] >= 0.0
        wait_until(lambda: received(log)[-1][1] == SAFE)
        assert guard.end() == 0
    assert count(log, (pytest.approx(0.1), pytest.approx(0.2))) > 10


def test_the_environment_knows_of_an_intervention_and_goes_on_from_there(peer, log, namespace, tmp_path):
    import gymnasium

    contract = write_contract(tmp_path, "limits: {max_acceleration: [0.5, 100.0]}")
    joystick = peer.session.node.create_publisher(Joy, "joy", 10)
    with GuardProcess(contract, namespace):
        peer.wait_for(lambda: peer.session.node.count_subscribers(f"{namespace}/agent/cmd_vel"))
        with gymnasium.make(
            "rtgym_ros/Contract-v0", contract=str(contract), namespace=namespace, guard=True, config={"act_buf_len": 3}
        ) as env:

            def step_until(done, axes=None):
                for _ in range(400):
                    if axes is not None:
                        joystick.publish(Joy(axes=axes))
                    observation, *_, info = env.step([0.2, 0.5])
                    if done(info):
                        return observation, info
                raise AssertionError(info)

            env.reset(seed=1)
            step_until(lambda info: info["intervention"] is None and info["executed_action"][0] > 0.19)
            taken_over = step_until(lambda info: info["executed_action"][0] < -0.15, [0.0, -1.0])
            observation, info = taken_over
            assert info["intervention"] == "joystick"
            assert observation["action_buffer"][-1][0] < -0.1
            _, info = step_until(lambda info: info["intervention"] is None)
            # It goes on from the joystick's last command, within the limits.
            assert info["executed_action"][0] < 0.0
            step_until(lambda info: info["executed_action"][0] > 0.19)
    speeds = [values[0] for _, values in received(log)]
    jumps = [abs(after - before) for before, after in pairwise(speeds) if after != 0.0]
    assert max(jumps) <= 0.5 * 0.05 + 1e-6


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["unguarded.yaml"], "guard is missing"),
        (["nothing.yaml"], "nothing.yaml"),
        ([], "CONTRACT"),
        (["diff_drive", "--ros-args", "-p", "poll_period:=1.0"], "poll_period"),
        (["diff_drive", "--ros-args", "-p", "heartbeat:=true"], "heartbeats"),
    ],
)
def test_what_cannot_be_used_is_one_line(arguments, line, tmp_path):
    guarded = find_contract("drone").read_text()
    (tmp_path / "unguarded.yaml").write_text(re.sub("^guard: .*\n", "", guarded, flags=re.MULTILINE))
    program = [sys.executable, "-m", "rtgym_ros.nodes.guard", *arguments]
    result = subprocess.run(program, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert result.returncode == 2
    assert line in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
