"""What an interface on ROS does beside the environment: freshness, parameters, names, the user's own node."""

import math
import re
import sys
import threading
import time

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import PoseStamped
from gymnasium import spaces
from rcl_interfaces.msg import Log
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Float64

from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.core.errors import ConfigError, InterfaceError, InterfaceTimeoutError
from rtgym_ros.core.time_source import NS_PER_S
from rtgym_ros.ros.parameters import Bounded
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.ros_interface import RosInterface
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_time

GAIN = Bounded("gain", 1.0, 0.0, 10.0, "of the controller")


class Robot(RosInterface):
    """Observes a pose."""

    def __init__(self, namespace, *words, node=None, context=None, **subscription):
        super().__init__("robot_env", namespace, ["program", *words], node=node, context=context)
        self.gain = self.declare_parameters(GAIN)["gain"]
        self.pose = self.subscribe_latest(PoseStamped, "pose", **subscription)
        self.command = self.advertise_command(Float64, "command")

    def get_observation_space(self):
        return spaces.Tuple([spaces.Box(-1.0, 1.0, shape=(1,))])

    def get_action_space(self):
        return spaces.Box(-1.0, 1.0, shape=(1,))

    def get_default_action(self):
        return np.zeros(1, dtype=np.float32)

    def reset(self, seed=None, options=None):
        self.wait_for_observations()
        return [np.zeros(1, dtype=np.float32)], {}

    def get_obs_rew_terminated_info(self):
        self.pose.pull()
        return [np.zeros(1, dtype=np.float32)], 0.0, False, {}

    def send_control(self, control):
        self.command.publish(Float64(data=float(control[0])))


class World:
    """Publishes poses, when it is told to."""

    def __init__(self, namespace, qos=10):
        self.session = RosSession("world", namespace, arguments=["program"])
        self._publisher = self.session.node.create_publisher(PoseStamped, "pose", qos)
        self._stopped = threading.Event()
        self._thread = None

    def send(self, stamp_ns):
        message = PoseStamped()
        message.header.stamp = to_time(stamp_ns)
        self._publisher.publish(message)

    def send_until(self, condition, stamp_ns=None):
        for _ in range(1000):
            self.send(time.time_ns() if stamp_ns is None else stamp_ns)
            if condition():
                return
            threading.Event().wait(0.01)
        raise AssertionError("the pose did not arrive")

    def keep_sending(self, stamp_ns=None):
        def run():
            while not self._stopped.wait(0.01):
                self.send(time.time_ns() if stamp_ns is None else stamp_ns)

        self._stopped.clear()
        self._thread = threading.Thread(target=run)
        self._thread.start()

    def stop(self):
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def close(self):
        self.stop()
        self.session.close()


@pytest.fixture
def world(namespace):
    world = World(namespace)
    yield world
    world.close()


@pytest.fixture
def make(namespace):
    """A function that makes a Robot, which is closed after the test."""
    made = []

    def make_robot(*words, namespace=namespace, **keywords):
        ros_args = ["--ros-args", *words] if words else []
        made.append(Robot(namespace, *ros_args, **keywords))
        return made[-1]

    yield make_robot
    for robot in made:
        robot.close()


SHORT = ("-p", "observation_timeout:=0.3")


def test_a_reset_waits_for_a_pose_that_is_newer_than_itself(make, world, namespace):
    robot = make(*SHORT)
    world.keep_sending()
    robot.reset()
    world.stop()
    while robot.pose.pull():  # what was still under way
        threading.Event().wait(0.1)
    with pytest.raises(InterfaceTimeoutError, match=rf"no new message on {namespace}/pose for 0\.3 s \(1 publishers\)"):
        robot.reset()
    world.keep_sending()
    robot.reset()


def test_a_pose_that_is_sent_again_and_again_is_not_newer(make, world):
    robot = make(*SHORT)
    world.keep_sending(stamp_ns=1_700_000_000 * NS_PER_S)
    robot.reset()
    with pytest.raises(InterfaceTimeoutError, match="no new message"):
        robot.reset()


def test_the_robots_clock_does_not_matter(make, world):
    robot = make(*SHORT)
    stamps_ns = iter(range(3600 * NS_PER_S, 3700 * NS_PER_S, NS_PER_S // 100))  # long ago

    world.send = lambda stamp_ns, send=world.send: send(next(stamps_ns))
    world.keep_sending()
    for _ in range(5):
        robot.reset()


def test_a_latched_message_stays_true(make, namespace):
    qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    world = World(namespace, qos)
    try:
        world.send(time.time_ns())
        robot = make(qos=qos)
        for _ in range(3):
            robot.reset()
        assert robot.pose.accepted == 1
    finally:
        world.close()


def test_a_topic_may_be_left_out_of_what_is_waited_for_anew(make, world):
    robot = make(newer_than_reset=False)
    world.send_until(lambda: robot.pose.pull(), stamp_ns=1_700_000_000 * NS_PER_S)
    robot.reset()


def test_incompatible_qos_is_named_in_the_error(make, world, namespace):
    robot = make(*SHORT, qos=QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))
    while not robot.pose.publishers:
        threading.Event().wait(0.01)
    with pytest.raises(InterfaceTimeoutError, match=r"\(1 publishers\); the QoS of .*/pose does not match"):
        robot.reset()


@pytest.mark.parametrize("when_stale", ["warn", "truncate", "fail"])
def test_a_stale_capture_does_as_it_was_told(make, world, namespace, when_stale):
    robot = make(max_age=5.0, when_stale=when_stale)
    assert robot.get_truncation() is None  # none yet is not too old
    assert math.isnan(robot.get_ages()["pose"])
    world.send_until(lambda: robot.pose.pull())
    assert robot.get_truncation() is None
    assert 0.0 <= robot.get_ages()["pose"] < 5.0
    old_ns = robot.pose.latest_raw.stamp_ns
    robot.pose._now_ns = lambda: old_ns + 5_100_000_000
    text = rf"{namespace}/pose is 5\.1 s old, its max_age is 5 s"
    if when_stale == "fail":
        with pytest.raises(InterfaceError, match=text):
            robot.get_truncation()
    elif when_stale == "truncate":
        assert robot.get_truncation() == text.replace("\\", "")
    else:
        assert robot.get_truncation() is None


def test_stamps_that_were_set_back_are_followed_and_said_on_rosout(make, world, rosout):
    robot = make()
    world.send_until(lambda: robot.pose.pull(), stamp_ns=1000 * NS_PER_S)
    world.send_until(lambda: robot.pose.pull(), stamp_ns=10 * NS_PER_S)
    robot.get_truncation()
    rosout.wait_for("the stamps of .*/pose were set back: followed")


def test_time_steps_that_time_out_and_safe_actions_are_on_rosout(make, rosout):
    robot = make()
    late = TimeStep(3, 0, 0, NS_PER_S, NS_PER_S, 40_000_000, False, True)
    rosout.wait_for("time-step 3 timed out: it began 0.04 s late", lambda: robot.on_time_step(late))
    robot.wait_for_acknowledgement(0.0)
    robot.tick()
    rosout.wait_for("the safe action was sent")


@pytest.fixture
def rosout():
    listener = Rosout()
    yield listener
    listener.close()


class Rosout:
    """Reads /rosout."""

    def __init__(self):
        self._session = RosSession("rosout_listener", arguments=["program"])
        qos = QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._logs = PulledSubscription(self._session.node, Log, "/rosout", qos)

    def wait_for(self, pattern, action=lambda: None):
        for _ in range(1000):
            action()
            if any(re.search(pattern, message.msg) for message, _ in self._logs.take()):
                return
            threading.Event().wait(0.01)
        raise AssertionError(f"{pattern!r} was not on /rosout")

    def close(self):
        self._session.close()


def test_parameters_of_a_subclass(make):
    assert make("-p", "gain:=3.0", "-p", "learning_rate:=0.1").get_time_source() is not None


@pytest.mark.parametrize("override", ["gian:=3.0", "robot_env:gian:=3.0", "robot_env:other:=1"])
def test_unknown_overrides_are_refused_once_all_are_declared(make, override):
    robot = make("-p", override, namespace="")
    with pytest.raises(ConfigError, match="node /robot_env has no parameter"):
        robot.get_time_source()


def test_topics_may_be_remapped(make, namespace):
    robot = make("-r", "pose:=/elsewhere/pose", "-r", "__ns:=/another")
    assert robot.pose.topic == "/elsewhere/pose"
    assert robot.command.topic == "/another/command"


# --- the user's own ROS ---


@pytest.fixture
def context():
    context = Context()
    rclpy.init(args=["program"], context=context, signal_handler_options=SignalHandlerOptions.NO)
    yield context
    context.try_shutdown()
    context.destroy()


def test_a_node_that_is_handed_in_stays_its_owners(make, world, context, namespace):
    node = Node("agent", namespace=namespace, context=context)
    node.declare_parameter("learning_rate", 0.1)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    spinning = threading.Thread(target=executor.spin)
    spinning.start()
    try:
        entities = [len(list(kind)) for kind in (node.publishers, node.subscriptions, node.timers)]
        robot, second = make(node=node, namespace=""), make(node=lambda: node, namespace="second")
        assert robot.node is node
        assert robot.get_time_source() is not None  # foreign parameters are no concern of ours
        assert (robot.pose.topic, second.pose.topic) == (f"{namespace}/pose", f"{namespace}/second/pose")
        third = make(node=node, namespace="/third")
        assert (third.pose.topic, third.command.topic) == ("/third/pose", "/third/command")
        third.close()
        world.keep_sending()
        robot.reset()
        assert set(robot.get_ages()) == {"pose"}
        assert set(second.get_ages()) == {"second/pose"}
        robot.close()
        second.close()
        assert [len(list(kind)) for kind in (node.publishers, node.subscriptions, node.timers)] == entities
        assert node.get_parameter("learning_rate").value == 0.1
        assert context.ok()
    finally:
        executor.shutdown()
        spinning.join()
        node.destroy_node()


def test_a_context_that_is_handed_in_stays_its_owners(make, context):
    robot = make(context=context)
    assert robot.node.context is context
    robot.close()
    assert context.ok()


def test_an_interface_ends_with_ros(make, context):
    robot = make(context=context)
    robot.tick()
    context.shutdown()
    for call in (robot.tick, robot.get_truncation, robot.wait_for_observations):
        with pytest.raises(ExternalShutdownException, match="ROS was shut down"):
            call()
    robot.tick()  # once is enough


def test_an_interface_ends_with_the_programs_ros(make):
    robot = make()
    rclpy.init(args=["program"])
    try:
        robot.tick()
    finally:
        rclpy.shutdown()
    with pytest.raises(ExternalShutdownException):
        robot.tick()
    make().tick()  # another one begins anew


def test_the_domain_of_the_program_is_followed(make):
    rclpy.init(args=["program"], domain_id=77)
    try:
        assert make().node.context.get_domain_id() == 77
    finally:
        rclpy.shutdown()


class Shared(Robot):
    """Takes the program's command line, as interfaces do."""

    def __init__(self, name, namespace=""):
        RosInterface.__init__(self, name, namespace)


@pytest.fixture
def named(monkeypatch):
    """A function that makes interfaces in a program that is called with a renaming, and returns their full names."""
    made = []

    def names_of(*environments):
        monkeypatch.setattr(sys, "argv", ["program", "--ros-args", "-r", "__node:=main", "-r", "__ns:=/team"])
        made.extend(Shared(*environment) for environment in environments)
        return [robot.node.get_fully_qualified_name() for robot in made]

    yield names_of
    for robot in made:
        robot.close()


def test_a_command_line_does_not_merge_the_environments_of_a_process(named):
    names = named(("one_env", "one"), ("two_env", "two"), ("three_env", "/three"))
    assert names == ["/team/one/main", "/team/two/two_env", "/three/three_env"]


def test_the_name_on_the_command_line_is_that_of_the_programs_own_node(named):
    rclpy.init(args=["program"])
    try:
        assert named(("one_env",), ("two_env",)) == ["/team/one_env", "/team/two_env"]
    finally:
        rclpy.shutdown()


def test_a_name_for_one_node(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program", "--ros-args", "-r", "one_env:__node:=uno"])
    robots = [Shared("one_env"), Shared("two_env")]
    try:
        assert [robot.node.get_name() for robot in robots] == ["uno", "two_env"]
    finally:
        for robot in robots:
            robot.close()


def test_another_publisher_of_commands_is_refused_by_choice(make, world, namespace):
    robot = make("-p", "exclusive:=true")
    world.keep_sending()
    robot.reset()
    other = RosSession("other", namespace, arguments=["program"])
    try:
        other.node.create_publisher(Float64, "command", 1)
        # The name of a node is known a little later than its publisher.
        while "other" not in {who.node_name for who in robot.node.get_publishers_info_by_topic(robot.command.topic)}:
            threading.Event().wait(0.01)
        with pytest.raises(InterfaceError, match=r"/other publishes on .*/command too: .*; the parameter exclusive"):
            robot.reset()
        make().reset()  # by default it is said, and the reset goes on
    finally:
        other.close()
