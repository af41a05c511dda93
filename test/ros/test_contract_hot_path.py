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


class Files:
    """The files of the package that are entered, each once, in their order, but within ``left_out`` (a function)."""

    def __init__(self, left_out):
        self._left_out = left_out
        self._inside = None
        self.entered = []

    def __enter__(self):
        sys.setprofile(self._trace)
        return self.entered

    def __exit__(self, *exception):
        sys.setprofile(None)

    def _trace(self, frame, event, _argument):
        if self._inside is not None:
            if event == "return" and frame is self._inside:
                self._inside = None
            return
        name = frame.f_code.co_filename
        if event == "call" and frame.f_code.co_name == self._left_out:
            self._inside = frame
        elif event == "call" and name.startswith(f"{PACKAGE}/"):
            self.entered.append(name.removeprefix(f"{PACKAGE}/"))


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
        action = np.array([-0.5], np.float32)
        with Files(left_out="finish_time_step") as entered:
            env.unwrapped.step(action)
    del entered[entered.index("ros/command_publisher.py") + 1 :]
    listed = PAGE.read_text().split("An action, from `step()`")[1].split("A pose, from")[0]
    documented = re.findall(r"^\d+\. `([\w/]+\.py)`", listed, re.MULTILINE)
    assert set(entered) - TOLD == set(documented)
    assert len(documented) == 10
