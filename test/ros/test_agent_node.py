"""The example of an agent that is a ROS node, as a user runs it: its service, its parameter, its timer, its end."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from geometry_msgs.msg import TwistStamped
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import QoSProfile

from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession

SetBool = pytest.importorskip("std_srvs.srv", reason="std_srvs is not installed").SetBool

EXAMPLE = Path(__file__).parents[2] / "examples" / "agent_node.py"


def wait_for(condition):
    for _ in range(3000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not come about")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_agent_node_flies_answers_and_ends(drone, namespace, number):
    words = ["--ros-args", "-r", f"__ns:={namespace}", "-p", "gain:=1.5"]
    process = subprocess.Popen([sys.executable, str(EXAMPLE), *words], stderr=subprocess.PIPE, text=True)
    session = RosSession("operator", namespace, arguments=["program"])
    node = session.node
    commands = PulledSubscription(node, TwistStamped, "cmd_vel", QoSProfile(depth=100))
    try:
        client = node.create_client(SetBool, "agent/fly")
        parameters = AsyncParameterClient(node, "agent")
        wait_for(lambda: list(commands.take()))  # it hovers
        assert client.wait_for_service(30.0)
        assert parameters.wait_for_services(30.0)
        flying, gain = client.call_async(SetBool.Request(data=True)), parameters.get_parameters(["gain"])
        wait_for(lambda: flying.done() and gain.done())
        assert flying.result().success
        assert gain.result().values[0].double_value == 1.5
        wait_for(lambda: any(message.twist.linear.x for message, _ in commands.take()))
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
        last = [message for message, _ in commands.take()][-1:]
    finally:
        session.close()
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert [(message.twist.linear.x, message.twist.linear.y) for message in last] == [(0.0, 0.0)]
