"""The files that an action enters under a contract: as few as the documentation says."""

import re
import sys
import threading
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from geometry_msgs.msg import PointStamped

import rtgym_ros
from rtgym_ros.contract.grammar.reader import parse_contract
from rtgym_ros.core.time_source import FakeTimeSource
from rtgym_ros.ros.contract_interface import ContractInterface
from rtgym_ros.ros.session import RosSession

CONTRACT = """
contract: 1
robot: traced
action:
  speed: {topic: cmd_vel, type: geometry_msgs/msg/TwistStamped, fields: [twist.linear.x], low: -1, high: 1,
          quantity: velocity}
observation:
  point: {topic: point, type: geometry_msgs/msg/PointStamped, fields: [point.x], low: -1, high: 1, max_age: none}
"""
PACKAGE = Path(rtgym_ros.__file__).parent
PAGE = PACKAGE.parent / "docs" / "architecture.md"
TOLD = {"core/time_source.py", "ros/ros_interface.py", "ros/contract/robot_flow.py", "ros/contract/ros_port.py"}
"""The clock, and what is called when a time-step begins: the action goes through none of them."""


class Stepped(ContractInterface):
    """On time that stands still: everything happens in the thread of the caller, which is traced."""

    def get_time_source(self):
        super().get_time_source()
        return FakeTimeSource()

    def send_control(self, control):
        entered = []

        def trace(frame, event, _argument):
            name = frame.f_code.co_filename
            if event == "call" and name.startswith(f"{PACKAGE}/"):
                entered.append(name.removeprefix(f"{PACKAGE}/"))

        sys.setprofile(trace)
        try:
            super().send_control(control)
        finally:
            sys.setprofile(None)
        until = max(i for i, name in enumerate(entered) if name == "ros/command_publisher.py")
        self.entered = [name for name in dict.fromkeys(entered[: until + 1]) if name not in TOLD]


@pytest.fixture
def point(namespace):
    session = RosSession("robot", namespace, arguments=["program"])
    publisher = session.node.create_publisher(PointStamped, "point", 10)
    is_over = threading.Event()

    def publish():
        while not is_over.wait(0.02):
            publisher.publish(PointStamped())

    thread = threading.Thread(target=publish)
    thread.start()
    yield
    is_over.set()
    thread.join()
    session.close()


def test_the_files_that_an_action_enters_are_those_of_the_page(namespace, point):
    contract = parse_contract(CONTRACT, "traced.yaml")
    env = gymnasium.make("rtgym_ros/Contract-v0", contract=contract, namespace=namespace, interface=Stepped)
    with env:
        env.reset()
        env.step(np.array([0.5], np.float32))
        entered = env.unwrapped.interface.entered
    listed = PAGE.read_text().split("Under a contract the last three are these ten")[1].split("A pose, from")[0]
    documented = re.findall(r"^\d+\. `([\w/]+\.py)`", listed, re.MULTILINE)
    assert set(entered) == set(documented)
    assert len(documented) == 10
