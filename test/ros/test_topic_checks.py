"""What keeps topics from working is said by name: found in a real graph of two processes' worth of nodes."""

import threading

import pytest
from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from std_msgs.msg import Float64, String

from rtgym_ros.ros.command_publisher import CommandPublisher
from rtgym_ros.ros.latest_subscription import LatestSubscription
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.topic_checks import TopicChecks


@pytest.fixture
def ours(namespace):
    session = RosSession("ours", namespace, arguments=["program"])
    yield session.node
    session.close()


@pytest.fixture
def other(ours, namespace):
    session = RosSession("other", namespace, arguments=["program"])
    while (session.node.get_name(), namespace) not in ours.get_node_names_and_namespaces():
        threading.Event().wait(0.01)
    yield session.node
    session.close()


@pytest.fixture
def said():
    return []


@pytest.fixture
def checks(ours, said):
    return TopicChecks(ours, said.append)


def check_until(checks, condition):
    for _ in range(1000):
        checks.check()
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it was not found")


def test_incompatible_qos_is_said_once(checks, said, ours, other, namespace):
    profile = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
    checks.add_observation(LatestSubscription(ours, Float64, "state", qos=profile))
    other.create_publisher(Float64, "state", qos_profile_sensor_data)
    check_until(checks, lambda: said)
    checks.check()
    checks.check()
    (line,) = said
    assert line.startswith(f"the QoS of {namespace}/other on {namespace}/state does not match: ")
    assert "reliab" in line.lower()


def test_a_wrong_type_is_said(checks, said, ours, other, namespace):
    checks.add_observation(LatestSubscription(ours, Float64, "state"))
    other.create_publisher(String, "state", 1)
    check_until(checks, lambda: said)
    assert said == [f"{namespace}/other has std_msgs/msg/String on {namespace}/state, not std_msgs/msg/Float64"]


def test_a_command_that_nobody_hears_is_said_again_when_a_robot_has_come_and_gone(checks, said, ours, other, namespace):
    line = f"nobody subscribes to {namespace}/command: commands reach no robot"
    command = CommandPublisher(ours, Float64, "command")
    checks.add_command(command)
    checks.check()
    checks.check()
    assert said == []  # nothing has been sent yet
    command.publish(Float64())
    checks.check()
    assert said == []  # a robot that has not been discovered yet
    checks.check()
    checks.check()
    assert said == [line]
    subscription = other.create_subscription(Float64, "command", lambda _: None, 1)
    check_until(checks, lambda: not checks._reported)
    other.destroy_subscription(subscription)
    check_until(checks, lambda: said == [line, line])


def test_a_second_publisher_of_commands_is_said(checks, said, ours, other, namespace):
    checks.add_command(CommandPublisher(ours, Float64, "command"))
    other.create_subscription(Float64, "command", lambda _: None, 1)
    other.create_publisher(Float64, "command", 1)
    check_until(checks, lambda: any("too" in line for line in said))
    assert f"{namespace}/other publishes on {namespace}/command too: the robot follows the last command" in said


def test_nothing_is_said_where_everything_matches(checks, said, ours, other):
    checks.add_command(CommandPublisher(ours, Float64, "command"))
    subscription = LatestSubscription(ours, Float64, "state")
    checks.add_observation(subscription)
    other.create_subscription(Float64, "command", lambda _: None, 1)
    other.create_publisher(Float64, "state", 1)
    while not (subscription.publishers and ours.count_subscribers("command")):
        threading.Event().wait(0.01)
    for _ in range(3):
        checks.check()
    assert said == []
