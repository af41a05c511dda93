import signal
import subprocess
import sys
import time

import pytest
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rtgym_ros.msg import AppliedAction

from rtgym_ros.ros.command_publisher import CommandPublisher
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_nanoseconds, to_time

PERIOD_NS = 10_000_000


class Radio:
    """The other end of the drone's topics; remembers everything, and waits for what is to come.

    It pulls, as all of us do: rclpy's MultiThreadedExecutor spins at full load over two 100 Hz topics
    (seen: 50 poses in 18 s).
    """

    def __init__(self, namespace):
        self.session = RosSession("radio", namespace, arguments=["program"])
        node = self.session.node
        self.poses, self.applied = {}, {}
        qos = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._poses = PulledSubscription(node, PoseStamped, "pose", qos)
        self._applied = PulledSubscription(node, AppliedAction, "applied_action", qos)
        self.commands = CommandPublisher(node, TwistStamped, "cmd_vel")

    def _pull(self):
        for message, _ in self._poses.take():
            position = message.pose.position
            self.poses[to_nanoseconds(message.header.stamp)] = (position.x, position.y)
        for message, _ in self._applied.take():
            self.applied[to_nanoseconds(message.header.stamp)] = to_nanoseconds(message.command_stamp)

    def hears(self, condition, timeout):
        """Whether the condition comes true within the timeout (s)."""
        end = time.monotonic() + timeout
        self._pull()
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.002)
            self._pull()
        return True

    def wait_for(self, condition):
        assert self.hears(condition, timeout=20.0)

    def command(self, x, y, stamp_ns=None):
        """Send a velocity; return its stamp."""
        message = TwistStamped()
        message.twist.linear.x, message.twist.linear.y = x, y
        if stamp_ns is None:
            self.commands.publish(message)
        else:
            message.header.stamp = to_time(stamp_ns)
            self.commands._publisher.publish(message)
        return to_nanoseconds(message.header.stamp)

    def command_until_applied(self, x, y):
        """Send a velocity until the drone applies it (the first may leave before the drone has been discovered)."""
        sent = set()
        for _ in range(200):
            sent.add(self.command(x, y))
            if self.hears(lambda: sent & set(self.applied.values()), timeout=0.1):
                return
        raise AssertionError("the drone does not obey")


@pytest.fixture
def radio(drone, namespace):
    radio = Radio(namespace)
    radio.wait_for(lambda: radio.poses)
    yield radio
    radio.session.close()


def test_poses_are_stamped_with_the_sampling_time(radio):
    radio.wait_for(lambda: len(radio.poses) >= 50)
    stamps = sorted(radio.poses)
    assert {(stamp - stamps[0]) % PERIOD_NS for stamp in stamps} == {0}
    assert set(radio.poses.values()) == {(0.0, 0.0)}


def test_it_says_which_command_it_applies_and_hovers_when_they_stop(radio):
    radio.wait_for(lambda: set(radio.applied.values()) == {0})
    radio.command_until_applied(1.0, 0.0)
    radio.wait_for(lambda: max(x for x, _ in radio.poses.values()) > 0.1)
    radio.wait_for(lambda: radio.applied[max(radio.applied)] == 0)
    landed = max(radio.applied)
    radio.wait_for(lambda: max(radio.poses) > landed + 20 * PERIOD_NS)
    assert len({radio.poses[stamp] for stamp in radio.poses if stamp > landed}) == 1


def test_an_older_command_does_not_count(radio):
    radio.command_until_applied(0.0, 0.0)
    newest = max(radio.applied.values())
    for _ in range(5):
        radio.command(2.0, 2.0, stamp_ns=newest - 1)
    radio.wait_for(lambda: radio.applied[max(radio.applied)] == 0)
    assert newest - 1 not in radio.applied.values()
    assert set(radio.poses.values()) == {(0.0, 0.0)}


def test_a_command_that_is_not_finite_is_dropped(radio):
    radio.command_until_applied(0.0, 0.0)
    bad = radio.command(float("nan"), 1.0)
    radio.command_until_applied(0.0, 1.0)
    assert bad not in radio.applied.values()
    assert all(x == 0.0 for x, _ in radio.poses.values())


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "rtgym_ros.nodes.drone_node", *arguments],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_and_hear(namespace, *arguments):
    process = start(*arguments, "--ros-args", "-r", f"__ns:={namespace}")
    radio = Radio(namespace)
    try:
        radio.wait_for(lambda: radio.poses)
    finally:
        radio.session.close()
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_on_a_signal(namespace, number):
    process = start_and_hear(namespace)
    process.send_signal(number)
    process.send_signal(number)  # as a terminal and a launch file both do
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def test_it_ends_with_its_parent(namespace):
    process = start_and_hear(namespace, "--until-eof")
    _, errors = process.communicate(timeout=30)  # closes its standard input
    assert (process.returncode, errors) == (0, "")


def test_an_unknown_argument_is_one_line_and_exit_code_2():
    process = start("--speed", "3")
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (2, "drone_node: unrecognized arguments: --speed 3\n")


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("sampling_period:=0.0", "'sampling_period' of node /drone must be a decimal number in [0.001, 1.0], got 0.0"),
        ("sampling_perod:=0.01", "node /drone has no parameter 'sampling_perod' (did you mean 'sampling_period'?)"),
        ("command_delay_min:=0.06", "'command_delay_min' must be at most 'command_delay_max' (0.05), got 0.06"),
    ],
)
def test_bad_parameters_are_one_line_and_exit_code_2(parameter, message):
    process = start("--ros-args", "-p", parameter)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert message in errors
    assert errors.count("\n") == 1
