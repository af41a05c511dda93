"""What a contract says of stamps, of silence that may be, and of goals, over real topics and a real ROS action."""

import logging
import threading
import time

import gymnasium
import numpy as np
import pytest
from geometry_msgs.msg import PointStamped, Vector3

pytest.importorskip("test_msgs")

from rclpy.action import ActionServer, CancelResponse
from rclpy.qos import QoSProfile
from test_msgs.action import Fibonacci

import rtgym_ros  # noqa: F401
from rtgym_ros.core.errors import InterfaceError
from rtgym_ros.nodes.drone_process import DroneProcess
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_time

CONTRACT = """
contract: 1
robot: stamped
time: {{time_step_duration: 0.05, act_buf_len: 1, time_step_timeout_factor: 1000}}
action:
  push: {{topic: push, type: geometry_msgs/msg/Vector3, fields: [x], low: -1, high: 1, quantity: effort}}
{more}
observation:
  point:
    topic: point
    type: geometry_msgs/msg/PointStamped
    fields: [point.x]
    low: -10
    high: 10
    max_age: 0.5
    when_stale: {when_stale}
    qos: {{depth: 10}}
"""
GRIP = """\
  grip:
    goal: grip
    type: test_msgs/action/Fibonacci
    fields: [order]
    low: 0
    high: 10
    quantity: position
    default: 2
    safe: 0
    dtype: int32
"""


class StampedRobot:
    """Publishes a point at 100 Hz from a thread; ``sample`` says which messages: pairs of a stamp's age (s) and x."""

    def __init__(self, namespace):
        self.session = RosSession("stamped_robot", namespace, arguments=["program"])
        self.node = self.session.node
        self.sample = lambda: [(0.0, 1.0)]
        self.goals = []
        self._points = self.node.create_publisher(PointStamped, "point", 10)
        self._server = ActionServer(
            self.node, Fibonacci, "grip", self._grip, cancel_callback=lambda _: CancelResponse.ACCEPT
        )
        self._pushes = PulledSubscription(self.node, Vector3, "push", QoSProfile(depth=1000))
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()
        self._server.destroy()
        self.session.close()

    def pushes(self):
        return [message.x for message, _ in self._pushes.take()]

    def _grip(self, goal):
        self.goals.append(goal.request.order)
        goal.succeed()
        return Fibonacci.Result()

    def _run(self):
        while not self._is_over.wait(0.01):
            now_ns = time.time_ns()
            for age, x in self.sample():
                point = PointStamped()
                point.header.stamp = to_time(now_ns - int(age * 1e9))
                point.point.x = x
                self._points.publish(point)


@pytest.fixture
def robot(namespace):
    with StampedRobot(namespace) as robot:
        yield robot


@pytest.fixture
def make(robot, namespace, tmp_path):
    made = []

    def make_env(when_stale="fail", more=""):
        file = tmp_path / "robot.yaml"
        file.write_text(CONTRACT.format(when_stale=when_stale, more=more))
        made.append(gymnasium.make("rtgym_ros/Contract-v0", contract=file, namespace=namespace))
        return made[-1]

    yield make_env
    for env in made:
        env.close()


def step(env):
    return env.step(env.action_space.sample())


def test_a_message_that_was_overtaken_is_dropped(robot, make):
    robot.sample = lambda: [(0.0, 1.0), (0.2, -1.0)]  # it came last, and is older
    env = make()
    observation, _ = env.reset()
    for _ in range(10):
        assert observation["point"] == 1.0
        observation, *_ = step(env)


def test_a_robot_whose_stamps_are_old_is_refused(robot, make):
    robot.sample = lambda: [(5.0, 1.0)]
    with pytest.raises(InterfaceError, match=r"observation point: the newest message on \S*point is 5.* s old; allo"):
        make().reset()
    assert set(robot.pushes()) <= {0.0}


def test_or_flown_where_the_contract_only_warns(robot, make):
    robot.sample = lambda: [(5.0, 1.0)]
    env = make("warn")
    env.reset()
    observation, _, _, truncated, info = step(env)
    assert observation["point"] == 1.0
    assert not truncated
    assert info["age"]["point"] == pytest.approx(5.0, abs=2.0)


def test_silence_that_is_only_warned_of(robot, make, capfd):
    """The last value stays, with its age: no zeros, no end."""
    env = make("warn")
    env.reset()
    robot.sample = list
    ages = []
    while not ages or ages[-1] < 1.0:
        observation, _, terminated, truncated, info = step(env)
        ages.append(info["age"]["point"])
        assert observation["point"] == 1.0
        assert (terminated, truncated) == (False, False)
    robot.sample = lambda: [(0.0, 2.0)]
    while observation["point"] != 2.0:
        observation, *_, info = step(env)
    assert info["age"]["point"] < 1.0
    said = [line for line in capfd.readouterr().err.splitlines() if "observation point" in line]
    assert said
    assert all("old; allowed: 0.5 s" in line for line in said)


def test_a_robot_that_is_started_again_with_an_earlier_clock(robot, make):
    env = make("warn")
    env.reset()
    robot.sample = lambda: [(3600.0, 3.0)]
    for _ in range(400):
        observation, *_, info = step(env)
        if observation["point"] == 3.0:
            break
    assert observation["point"] == 3.0, "its stamps are followed"
    assert info["age"]["point"] > 3000.0, "and info says how old they are"


def test_goals(robot, make):
    """A goal is sent when it changes, and the safe one at the end; nobody waits for its result."""
    env = make(more=GRIP)
    env.reset()
    for order in (2, 7, 7, 7, 3):
        observation, *_ = env.step(np.array([0.5, order], env.action_space.dtype))
        assert observation["action_buffer"][-1].tolist() == [0.5, order]
    env.close()
    end = time.monotonic() + 10.0
    while robot.goals[-1:] != [0] and time.monotonic() < end:
        time.sleep(0.01)
    changes = [goal for i, goal in enumerate(robot.goals) if i == 0 or robot.goals[i - 1] != goal]
    assert changes == robot.goals, "the same goal is not sent twice in a row"
    assert [goal for goal in changes if goal] == [2, 7, 3]
    assert changes[-1] == 0


def test_a_window_that_cannot_be_opened_is_reported_once(namespace, monkeypatch, caplog):
    pytest.importorskip("cv2")
    for display in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(display, raising=False)
    caplog.set_level(logging.WARNING)
    with (
        DroneProcess(namespace, ("seed:=7",)),
        gymnasium.make(
            "rtgym_ros/Drone-v0", namespace=namespace, render_mode="human", config={"time_step_timeout_factor": 1000}
        ) as env,
    ):
        env.unwrapped.interface._observation_timeout = 60.0
        env.reset()
        for _ in range(5):
            step(env)
    said = [record.getMessage() for record in caplog.records if "render_mode 'human'" in record.getMessage()]
    assert said == ["render_mode 'human' shows nothing: there is no display (is DISPLAY set?)"]
