"""Commands arrive whatever became of ROS in the process that sends them, and it is known when they have."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Float64

from rtgym_ros.ros.command_publisher import COMMAND_QOS, CommandPublisher
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession

ROBOT = Path(__file__).parent / "endings" / "robot.py"


class Robot:
    """Subscribes to commands, in a context that nobody shuts down."""

    def __init__(self, namespace):
        self._session = RosSession("robot", namespace, arguments=["program"])
        self._commands = PulledSubscription(self._session.node, Float64, "command", QoSProfile(depth=100))
        self.received = []

    def receives(self, value):
        for _ in range(1000):
            self.received += [message.data for message, _ in self._commands.take()]
            if value in self.received:
                return True
            threading.Event().wait(0.01)
        return False

    def close(self):
        self._session.close()


@pytest.fixture
def robot(namespace):
    robot = Robot(namespace)
    yield robot
    robot.close()


@pytest.fixture
def node(namespace):
    context = Context()
    rclpy.init(args=["program"], context=context, signal_handler_options=SignalHandlerOptions.NO)
    node = Node("agent", namespace=namespace, context=context)
    yield node
    node.destroy_node()
    context.try_shutdown()
    context.destroy()


@pytest.fixture
def publisher(node, robot):
    publisher = CommandPublisher(node, Float64, "command", outlives_node=True)
    while not publisher._publisher.get_subscription_count():
        threading.Event().wait(0.01)
    publisher.publish(Float64(data=1.0))
    assert robot.receives(1.0)
    yield publisher
    publisher.close()
    publisher.close()


def test_what_was_sent_is_acknowledged(publisher):
    assert publisher.wait_for_acknowledgement(10.0)
    publisher.publish(Float64(data=2.0))
    assert publisher.wait_for_acknowledgement(10.0)


def test_nobody_has_to_acknowledge_where_nobody_is_subscribed(node):
    publisher = CommandPublisher(node, Float64, "unheard")
    publisher.publish(Float64(data=1.0))
    assert publisher.wait_for_acknowledgement(0.0)
    publisher.close()


@pytest.mark.parametrize("end", ["shutdown", "destroy_node", "both"])
def test_a_command_arrives_after_the_end_of_ros_and_is_acknowledged(publisher, robot, node, end):
    if end != "shutdown":
        node.destroy_node()
    if end != "destroy_node":
        node.context.shutdown()
    publisher.publish(Float64(data=0.0))
    assert publisher.wait_for_acknowledgement(10.0)
    assert robot.receives(0.0)


def test_an_acknowledgement_is_waited_for_after_the_end_of_ros(publisher, node):
    publisher.publish(Float64(data=3.0))
    node.context.shutdown()
    assert publisher.wait_for_acknowledgement(10.0)


def test_a_new_publisher_stands_in_where_the_middleware_refuses(publisher, robot, node):
    node.context.shutdown()
    publisher._last_resort = publisher._make_fresh()  # as with rmw_zenoh, which closes its session at shutdown
    publisher.publish(Float64(data=0.0))
    assert robot.receives(0.0)
    assert publisher.wait_for_acknowledgement(10.0)


def test_a_publisher_that_was_not_kept_is_replaced_too(node, robot):
    publisher = CommandPublisher(node, Float64, "command")
    node.destroy_node()
    node.context.shutdown()
    publisher.publish(Float64(data=0.0))
    assert robot.receives(0.0)
    publisher.close()


def test_a_robot_that_does_not_answer_has_not_acknowledged(node, namespace, tmp_path):
    process = subprocess.Popen(
        [sys.executable, str(ROBOT), namespace, str(tmp_path / "commands")], stdin=subprocess.PIPE
    )
    publisher = CommandPublisher(node, Float64, "command")
    try:
        while not publisher._publisher.get_subscription_count():
            threading.Event().wait(0.01)
        publisher.publish(Float64(data=1.0))
        assert publisher.wait_for_acknowledgement(10.0)
        os.kill(process.pid, signal.SIGSTOP)
        publisher.publish(Float64(data=0.0))
        assert not publisher.wait_for_acknowledgement(0.2)
        os.kill(process.pid, signal.SIGCONT)
        assert publisher.wait_for_acknowledgement(10.0)
    finally:
        os.kill(process.pid, signal.SIGCONT)
        process.communicate(timeout=30)
        publisher.close()


def test_a_profile_and_overrides_of_it(namespace):
    name = f"qos_overrides.{namespace}/command.publisher.depth"
    session = RosSession("agent", namespace, arguments=["program", "--ros-args", "-p", f"{name}:=7"])
    profile = QoSProfile(depth=3, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    try:
        publisher = CommandPublisher(session.node, Float64, "command", profile)
        assert publisher.qos.depth == 7
        assert publisher.qos.durability == DurabilityPolicy.TRANSIENT_LOCAL
        publisher.close()
    finally:
        session.close()
    assert (profile.depth, COMMAND_QOS.depth) == (3, 1)
