import pytest
from robot_peer import Peer
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from rtgym_ros.nodes.robot_process import RobotProcess
from rtgym_ros.robots.arm.kinematics import HOME, JOINTS

SWITCH = "controller_manager/switch_controller"


def commands(by):
    return Float64MultiArray(data=[angle + by for angle in HOME])


def trajectory(by, names=JOINTS):
    angles = dict(zip(JOINTS, HOME, strict=True))
    point = JointTrajectoryPoint(positions=[angles[name] + by for name in names])
    return JointTrajectory(joint_names=names, points=[point])


@pytest.fixture
def robot(namespace):
    with RobotProcess("arm_node", namespace, ("seed:=7",)) as process:
        yield process


def peer_of(namespace, command_type, topic):
    peer = Peer(namespace, {"joint_states": JointState}, command_type, topic)
    peer.wait_for(lambda: peer.seen["joint_states"] and peer.ready)
    return peer


@pytest.fixture
def peer(robot, namespace):
    peer = peer_of(namespace, Float64MultiArray, "commands")
    yield peer
    peer.close()


@pytest.fixture
def trajectory_peer(robot, namespace):
    peer = peer_of(namespace, JointTrajectory, "joint_trajectory")
    yield peer
    peer.close()


def switch(peer, active):
    return peer.call(SetBool, SWITCH, SetBool.Request(data=active))


def angles(peer):
    states = peer.newest("joint_states")
    by_name = dict(zip(states.name, states.position, strict=True))
    return [by_name[name] for name in JOINTS]


def close_to(peer, by):
    return lambda: angles(peer) == pytest.approx([angle + by for angle in HOME], abs=1e-3)


def test_joint_states_come_in_another_order_than_commands(peer):
    assert peer.newest("joint_states").name == sorted(JOINTS) != list(JOINTS)
    assert angles(peer) == pytest.approx(HOME)
    assert peer.newest("joint_states").velocity.tolist() == [0.0] * 6


def test_commands_act_while_the_controller_is_active(peer):
    for _ in range(20):
        peer.send(commands(0.1))
        peer.receives(lambda: False, timeout=0.02)
    assert angles(peer) == pytest.approx(HOME)
    answer = switch(peer, True)
    assert (answer.success, answer.message) == (True, "the controller is active")
    peer.send_until(lambda: commands(0.1), close_to(peer, 0.1))
    assert any(peer.applied.values()), "told by the time at which the middleware sent it"
    assert switch(peer, False).message == "the controller is inactive"
    peer.wait_for(lambda: peer.applied_now() == 0)
    for _ in range(20):
        peer.send(commands(-0.1))
        peer.receives(lambda: False, timeout=0.02)
    assert close_to(peer, 0.1)()


def test_it_lags_and_goes_to_the_last_command(peer):
    switch(peer, True)
    peer.send_until(lambda: commands(0.2), lambda: peer.newest("joint_states").velocity[0] > 0.1)
    assert not close_to(peer, 0.2)()
    peer.wait_for(lambda: peer.applied_now() == 0)
    peer.wait_for(close_to(peer, 0.2))


def test_an_emergency_stop_takes_the_controller_away(peer):
    switch(peer, True)
    peer.send_until(lambda: commands(0.5), lambda: peer.newest("joint_states").velocity[0] > 0.1)
    peer.stop(True)
    held = angles(peer)
    answer = switch(peer, True)
    assert (answer.success, answer.message) == (False, "the controller is inactive: emergency stop")
    peer.stop(False)
    for _ in range(20):
        peer.send(commands(0.5))
        peer.receives(lambda: False, timeout=0.02)
    assert angles(peer) == pytest.approx(held, abs=0.2), "nobody has switched it on again"
    assert not close_to(peer, 0.5)()
    switch(peer, True)
    peer.send_until(lambda: commands(0.5), close_to(peer, 0.5))


def test_a_trajectory_may_name_its_joints_in_any_order(trajectory_peer):
    peer = trajectory_peer
    switch(peer, True)
    peer.send_until(lambda: trajectory(0.1, JOINTS[::-1]), close_to(peer, 0.1))


@pytest.mark.parametrize(
    "bad",
    [
        trajectory(0.1, JOINTS[:5]),
        JointTrajectory(joint_names=JOINTS),
    ],
)
def test_a_trajectory_that_says_too_little_is_dropped(trajectory_peer, bad):
    peer = trajectory_peer
    switch(peer, True)
    peer.send_until(lambda: trajectory(0.0), lambda: peer.applied_now() > 0)
    stamp = peer.send(bad)
    peer.send_until(lambda: trajectory(0.0), lambda: peer.applied_now() > stamp)
    assert stamp not in peer.applied.values()
