"""The files that an action enters under a contract: as few as the documentation says."""

import re
import struct
import sys
import threading
import time
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from geometry_msgs.msg import Point, PointStamped

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
  x: {topic: point, type: geometry_msgs/msg/PointStamped, fields: [point.x], low: -1, high: 1, max_age: none}
  y: {topic: point, type: geometry_msgs/msg/PointStamped, fields: [point.y], low: -1, high: 1, max_age: none}
spaces: {observation: tuple}
"""
PACKAGE = Path(rtgym_ros.__file__).parent
PAGE = PACKAGE.parent / "docs" / "architecture.md"
TOLD = {"core/time_source.py", "ros/ros_interface.py", "ros/contract/robot_flow.py", "ros/contract/ros_port.py"}
"""The clock, and what is called when a time-step begins: the action goes through none of them."""
LOOK = {"contract/messages/stamp_reader.py", "core/bounds.py"}
"""What is shown a pose and passes nothing of it on: its stamp is read, its values are compared."""
X = 0.70703125  # a float32


class Stepped(ContractInterface):
    """On time that stands still: everything happens in the thread of the caller, which is traced."""

    def get_time_source(self):
        super().get_time_source()
        return FakeTimeSource()


class Calls:
    """The files of the package whose functions are called, and are given or return what ``matters``."""

    def __init__(self, left_out=None, matters=lambda values: True):
        self._left_out, self._matters = left_out, matters
        self._inside = None
        self.files = []

    def __enter__(self):
        sys.setprofile(self._trace)
        return self.files

    def __exit__(self, *exception):
        sys.setprofile(None)

    def _trace(self, frame, event, value):
        if self._inside is not None:
            if event == "return" and frame is self._inside:
                self._inside = None
            return
        name = frame.f_code.co_filename
        if event == "call" and frame.f_code.co_name == self._left_out:
            self._inside = frame
        elif name.startswith(f"{PACKAGE}/") and event in ("call", "return"):
            values = list(frame.f_locals.values()) if event == "call" else value
            self.files += [name.removeprefix(f"{PACKAGE}/")] if self._matters(values) else []


def shows_x(value):
    """Whether X is among the numbers of a message or of values, however they are packed."""
    if isinstance(value, bytes):
        return struct.pack("<d", X) in value
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f" and X in value
    if isinstance(value, dict):
        return any(map(shows_x, value.values()))
    if isinstance(value, list | tuple):
        return any(map(shows_x, value))
    return isinstance(value, float) and value == X


@pytest.fixture
def point(namespace):
    session = RosSession("robot", namespace, arguments=["program"])
    publisher = session.node.create_publisher(PointStamped, "point", 10)
    is_over = threading.Event()

    def publish():
        while not is_over.wait(0.02):
            publisher.publish(PointStamped(point=Point(x=X)))

    thread = threading.Thread(target=publish)
    thread.start()
    yield
    is_over.set()
    thread.join()
    session.close()


@pytest.fixture
def env(namespace, point):
    contract = parse_contract(CONTRACT, "traced.yaml")
    env = gymnasium.make("rtgym_ros/Contract-v0", contract=contract, namespace=namespace, interface=Stepped)
    with env:
        env.reset()
        env.step(np.array([0.5], np.float32))
        yield env.unwrapped


def documented(since, until):
    listed = PAGE.read_text().split(since)[1].split(until)[0]
    return re.findall(r"^\d+\. `([\w/]+\.py)`", listed, re.MULTILINE)


def test_the_files_that_an_action_enters_are_those_of_the_page(env):
    action = np.array([-0.5], np.float32)
    with Calls(left_out="finish_time_step") as entered:
        env.step(action)
    del entered[entered.index("ros/command_publisher.py") + 1 :]
    listed = documented("An action, from `step()`", "A pose, from the middleware")
    assert set(entered) - TOLD == set(listed)
    assert len(listed) == 10


def test_the_files_that_a_pose_enters_are_those_of_the_page(env):
    action = np.array([-0.5], np.float32)
    time.sleep(0.1)  # several have come
    with Calls(matters=shows_x) as entered:
        env.step(action)
    del entered[entered.index("envs/observation_layout.py") + 1 :]
    listed = documented("A pose, from the middleware", "An error of the interface")
    assert [name for name in dict.fromkeys(entered) if name not in LOOK] == listed
    assert len(listed) == 10
