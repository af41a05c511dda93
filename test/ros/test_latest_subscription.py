import threading

import pytest
from geometry_msgs.msg import PoseStamped
from rclpy.qos import qos_profile_sensor_data
from std_msgs.msg import Float64

from rtgym_ros.ros.latest_subscription import LatestSubscription
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_time

DEPTH = 5
NOW_NS = 1_700_000_000_000_000_000


@pytest.fixture
def session(namespace):
    session = RosSession("reader", namespace, arguments=["program"])
    yield session
    session.close()


class Link:
    """A publisher and a latest subscription, matched."""

    def __init__(self, session, message_type):
        self.subscription = LatestSubscription(session.node, message_type, "topic", DEPTH)
        self.publisher = session.node.create_publisher(message_type, "topic", qos_profile_sensor_data)
        self._waiter = threading.Event()
        while self.publisher.get_subscription_count() == 0:
            assert not self._waiter.wait(0.01)

    def send(self, stamp_ns):
        pose = PoseStamped()
        pose.header.stamp = to_time(stamp_ns)
        self.publisher.publish(pose)

    def pull_until(self, condition):
        """Pull, for 10 s at the most, until what came so far satisfies ``condition``."""
        newer = []
        for _ in range(1000):
            newer += self.subscription.pull()
            if condition(self.subscription):
                return newer
            self._waiter.wait(0.01)
        raise AssertionError("the messages did not arrive")


@pytest.fixture
def link(session):
    return Link(session, PoseStamped)


def test_nothing_before_the_first(link):
    assert link.subscription.pull() == []
    assert link.subscription.latest is None
    assert link.subscription.publishers == 1
    assert link.subscription.topic.endswith("/topic")


def test_the_newest_stamp_is_kept_and_what_it_overtook_is_dropped(link):
    for offset in (10, 30, 20, 40, 25):
        link.send(NOW_NS + offset)
    newer = link.pull_until(lambda s: s.stamp_ns == NOW_NS + 40 and s.dropped == 2)
    assert [message.header.stamp.nanosec for message in newer] == [10, 30, 40]
    assert link.subscription.latest.header.stamp.nanosec == 40


def test_a_clock_that_was_set_back_is_believed(link):
    link.send(link.subscription._node.get_clock().now().nanoseconds + 3600 * 10**9)
    link.pull_until(lambda s: s.stamp_ns)
    link.send(NOW_NS)
    link.pull_until(lambda s: s.stamp_ns == NOW_NS)


def test_no_executor_takes_the_messages(session, link):
    served = threading.Event()
    link.send(NOW_NS)
    session.node.create_timer(
        0.0, served.set
    )  # the executor has waited, with the message there, and run what was ready
    assert served.wait(10.0)
    link.pull_until(lambda s: s.stamp_ns == NOW_NS)


def test_a_message_without_header_has_the_time_it_was_sent(session):
    link = Link(session, Float64)
    before_ns = session.node.get_clock().now().nanoseconds
    link.publisher.publish(Float64(data=1.5))
    link.pull_until(lambda s: s.latest is not None)
    assert link.subscription.latest.data == 1.5
    assert before_ns <= link.subscription.stamp_ns <= session.node.get_clock().now().nanoseconds
