"""What it costs to read fields out of messages: beside an ordinary rclpy node, and beside a raw take.

    ./dev shell -c "python -m benchmarks.fields [ROUNDS]"

Each round publishes five messages a topic, waits until they have come, and has every reader read the same ones; who
reads first changes from round to round, and rounds in which everybody was first once count together. A time is the
median over the rounds, a ratio the median over those groups.
"""

from __future__ import annotations

import os
import sys
import time
from importlib import import_module
from statistics import median

os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

import numpy as np
import rclpy
from nav_msgs.msg import Odometry
from rclpy.callback_groups import CallbackGroup
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image, Imu, JointState

from rtgym_ros.contract.conversions.images import ImageReader
from rtgym_ros.contract.messages.field_reader import FieldReader
from rtgym_ros.contract.messages.layout import layout_of
from rtgym_ros.contract.messages.stamp_reader import StampReader

DEEP = 5
QOS = QoSProfile(depth=DEEP, reliability=ReliabilityPolicy.RELIABLE)
JOINTS = [f"joint_{i}" for i in range(12)]
WANTED = JOINTS[7], JOINTS[3], JOINTS[0], JOINTS[11]
TARGET, IMAGE_TARGET = 0.4, 1.2


class Never(CallbackGroup):
    """Keeps a subscription out of the executor."""

    def can_execute(self, entity):
        return False


def message_class(name):
    package, _, name = name.partition("/")
    return getattr(import_module(f"{package}.msg"), name)


def messages():
    rng = np.random.default_rng(0)
    odometry, imu = Odometry(), Imu()
    odometry.header.frame_id, odometry.child_frame_id, imu.header.frame_id = "odom", "base_link", "imu_link"
    odometry.pose.pose.position.x, odometry.twist.twist.linear.x = rng.normal(size=2)
    imu.angular_velocity.z = float(rng.normal())
    joints = JointState(name=JOINTS)
    joints.position, joints.velocity, joints.effort = rng.normal(size=(3, len(JOINTS))).tolist()
    return [odometry, joints, imu]


class OrdinaryNode:
    """Three subscriptions and an executor, as one would write it: each callback keeps the message."""

    def __init__(self, node, topics):
        self.latest = {}
        self.received, self.expected = 0, DEEP * len(topics)
        self.executor = SingleThreadedExecutor(context=node.context)
        self.executor.add_node(node)
        for topic, kind in topics.items():
            node.create_subscription(kind, topic, lambda m, topic=topic: self.keep(topic, m), QOS)

    def keep(self, topic, message):
        self.latest[topic] = message
        self.received += 1

    def read(self):
        while self.received < self.expected:
            self.executor.spin_once(timeout_sec=0.5)
        return self.values()

    def values(self):
        odometry, joints, imu = (self.latest[topic] for topic in ("odometry", "joints", "imu"))
        pose, twist = odometry.pose.pose, odometry.twist.twist
        places = {name: place for place, name in enumerate(joints.name)}
        rate, force = imu.angular_velocity, imu.linear_acceleration
        return np.array(
            [pose.position.x, pose.position.y, twist.linear.x, twist.angular.z]
            + [joints.position[places[name]] for name in WANTED]
            + [rate.x, rate.y, rate.z, force.x]
        )


class Taking:
    """Subscriptions that are read without an executor."""

    def __init__(self, node, topics):
        group = Never()
        self.subscriptions = [
            (node.create_subscription(kind, topic, lambda _: None, QOS, callback_group=group), kind)
            for topic, kind in topics.items()
        ]

    def take(self, raw):
        for subscription, kind in self.subscriptions:
            handle = subscription.handle
            with handle:
                messages = []
                while (taken := handle.take_message(kind, raw)) is not None:
                    messages.append(taken[0])
            yield messages


class FullTakes(Taking, OrdinaryNode):
    """Every message is taken whole, without an executor."""

    def __init__(self, node, topics):
        Taking.__init__(self, node, topics)
        self.names = list(topics)

    def read(self):
        self.latest = {name: taken[-1] for name, taken in zip(self.names, self.take(False), strict=True)}
        return self.values()


class OurReaders(Taking):
    """Every message is taken raw, its stamp is read, and the fields of the newest one are."""

    def __init__(self, node, topics):
        super().__init__(node, topics)
        fields = {
            "odometry": (
                ["pose.pose.position.x", "pose.pose.position.y", "twist.twist.linear.x", "twist.twist.angular.z"],
            ),
            "joints": (["position"], WANTED),
            "imu": (["angular_velocity", "linear_acceleration.x"],),
        }
        layouts = {topic: layout_of(kind, message_class) for topic, kind in topics.items()}
        self.readers = [FieldReader(layouts[topic], *fields[topic]) for topic in topics]
        self.stamps = [StampReader(layouts[topic]) for topic in topics]

    def read(self):
        parts = []
        for reader, stamp, taken in zip(self.readers, self.stamps, self.take(True), strict=True):
            newest, newest_ns = b"", -1
            for buffer in taken:
                stamp_ns = stamp.read_ns(buffer) or 0
                if stamp_ns >= newest_ns:
                    newest, newest_ns = buffer, stamp_ns
            parts.append(reader.read(newest))
        return np.concatenate(parts)


def timed(read):
    start = time.perf_counter_ns()
    result = read()
    return result, (time.perf_counter_ns() - start) / 1000


def compare(readers, publish, rounds):
    """Return the times (us) of each reader, a list a round; all have to read the same."""
    times = {name: [] for name in readers}
    for number in range(rounds + 10):
        publish(number)
        time.sleep(0.01)
        order = list(readers)[number % len(readers) :] + list(readers)[: number % len(readers)]
        results = []
        for name in order:
            result, microseconds = timed(readers[name])
            results.append(np.asarray(result))
            if number >= 10:
                times[name].append(microseconds)
        for result in results[1:]:
            np.testing.assert_array_equal(result, results[0])
    return times


def groups(values, rounds):
    """Return the sums over as many rounds as it takes until everybody has been at every place once."""
    return [sum(values[start : start + rounds]) for start in range(0, len(values) - rounds + 1, rounds)]


def report(times, ours, peers, target, rounds=3):
    for name, values in times.items():
        print(f"  {name:42s} {median(values):8.1f} us")
    for peer in peers:
        ratio = median(a / b for a, b in zip(groups(times[ours], rounds), groups(times[peer], rounds), strict=True))
        print(f"  ratio to {peer:33s} {ratio:8.3f}" + (f" (at most {target})" if peer == peers[0] else ""))


def fields(context, rounds):
    topics = {"odometry": Odometry, "joints": JointState, "imu": Imu}
    nodes = [Node(f"bench_{name}", context=context) for name in ("robot", "ordinary", "full", "ours")]
    publishers = [nodes[0].create_publisher(kind, topic, QOS) for topic, kind in topics.items()]
    ordinary, full, ours = (
        reader(node, topics) for reader, node in zip((OrdinaryNode, FullTakes, OurReaders), nodes[1:], strict=True)
    )
    time.sleep(1)
    sent = messages()

    def publish(number):
        ordinary.received = 0
        for place in range(DEEP):
            for message, publisher in zip(sent, publishers, strict=True):
                message.header.stamp.sec, message.header.stamp.nanosec = number + 1, place
                publisher.publish(message)

    print(f"12 fields of Odometry, JointState and Imu, {DEEP} messages each:")
    names = {"rclpy node, three subscriptions": ordinary.read, "rclpy, taken whole": full.read, "rtgym_ros": ours.read}
    report(compare(names, publish, rounds), "rtgym_ros", list(names)[:2], TARGET)
    ordinary.executor.shutdown()
    for node in nodes:
        node.destroy_node()


def image(context, rounds):
    nodes = [Node(f"bench_{name}", context=context) for name in ("camera", "one", "other")]
    topics = {"image": Image}
    publisher = nodes[0].create_publisher(Image, "image", QOS)
    takers = [Taking(node, topics) for node in nodes[1:]]
    reader = ImageReader(layout_of(Image, message_class))
    pixels = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    message = Image(height=480, width=640, encoding="rgb8", step=640 * 3)
    message.data = pixels.tobytes()
    time.sleep(1)

    def take_raw(taker):
        ((buffer,),) = taker.take(True)
        return buffer

    times = {"raw take": [], "rtgym_ros": []}
    for number in range(rounds + 10):
        publisher.publish(message)
        time.sleep(0.02)
        # No two subscriptions are alike: each takes both parts in turn.
        how = list(zip(times, takers if number % 4 < 2 else takers[::-1], strict=True))
        for name, taker in how[:: 1 if number % 2 else -1]:
            read = take_raw if name == "raw take" else lambda taker: reader.read(take_raw(taker))
            result = None  # the memory of the one before is free again, for either
            result, microseconds = timed(lambda read=read, taker=taker: read(taker))
            if number >= 10:
                times[name].append(microseconds)
            if name == "rtgym_ros":
                np.testing.assert_array_equal(result, pixels)
    print("a 640x480 rgb8 image:")
    report(times, "rtgym_ros", ["raw take"], IMAGE_TARGET, 4)
    for node in nodes:
        node.destroy_node()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    try:
        fields(context, rounds)
        image(context, rounds)
    finally:
        rclpy.shutdown(context=context)


if __name__ == "__main__":
    main()
