import math
import threading
import time

import pytest
from geometry_msgs.msg import PoseStamped
from rclpy.qos import ReliabilityPolicy, qos_profile_sensor_data
from rclpy.serialization import deserialize_message
from std_msgs.msg import Float64

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.ros.latest_subscription import LatestSubscription, sensor_qos
from rtgym_ros.ros.parameters import refuse_unknown_overrides
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
    assert [raw.stamp_ns - NOW_NS for raw in newer] == [10, 30, 40]
    assert [link.subscription.decode(raw).header.stamp.nanosec for raw in newer] == [10, 30, 40]
    assert link.subscription.latest.header.stamp.nanosec == 40


def test_a_robot_whose_clock_is_ahead_keeps_the_protection_against_reordering(link):
    ahead_ns = time.time_ns() + 3600 * 10**9
    for offset in (10, 30, 20):
        link.send(ahead_ns + offset)
    link.pull_until(lambda s: s.stamp_ns == ahead_ns + 30 and s.dropped == 1)
    assert 0.0 <= link.subscription.age < 60.0  # since the fastest arrival: the clocks have nothing in common


def test_a_clock_that_was_set_back_is_followed(link):
    link.send(time.time_ns() + 3600 * 10**9)
    link.pull_until(lambda s: s.stamp_ns)
    link.send(NOW_NS)
    link.pull_until(lambda s: s.stamp_ns == NOW_NS)
    assert link.subscription.clock_resets == 1


def test_the_age_is_that_of_the_stamp_where_the_clocks_agree(link):
    assert math.isnan(link.subscription.age)
    link.send(time.time_ns() - 300_000_000)
    link.pull_until(lambda s: s.stamp_ns)
    assert 0.3 <= link.subscription.age < 60.0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_age": 0.0}, "max_age of topic must be"),
        ({"when_stale": "stop"}, "one of warn, truncate, fail, got 'stop'"),
    ],
)
def test_wrong_arguments_are_named(session, wrong, message):
    with pytest.raises(ConfigError, match=message):
        LatestSubscription(session.node, PoseStamped, "topic", **wrong)


def test_raw_messages_are_handed_out_undecoded(link):
    link.send(NOW_NS)
    (raw,) = link.pull_until(lambda s: s.stamp_ns == NOW_NS)
    assert raw == link.subscription.latest_raw
    assert deserialize_message(raw.data, PoseStamped) == link.subscription.latest
    assert abs(raw.received_ns - time.time_ns()) < 60 * 10**9
    assert abs(raw.source_ns - time.time_ns()) < 60 * 10**9


def test_qos_overrides_are_honoured(namespace):
    name = f"qos_overrides.{namespace}/topic.subscription"
    overrides = [word for policy in ("reliability:=reliable", "depth:=7") for word in ("-p", f"{name}.{policy}")]
    session = RosSession("reader", namespace, arguments=["program", "--ros-args", *overrides])
    try:
        subscription = LatestSubscription(session.node, PoseStamped, "topic")
        assert subscription.qos.depth == 7
        assert subscription.qos.reliability == ReliabilityPolicy.RELIABLE
        assert refuse_unknown_overrides(session.node) is None
    finally:
        session.close()
    assert sensor_qos(1).reliability == ReliabilityPolicy.BEST_EFFORT


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
