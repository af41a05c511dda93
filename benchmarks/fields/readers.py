"""Who reads the messages: an ordinary rclpy node, one that takes them whole, and this package."""

from importlib import import_module

import numpy as np
from rclpy.callback_groups import CallbackGroup
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy

from rtgym_ros.contract.messages.field_reader import FieldReader
from rtgym_ros.contract.messages.layout import layout_of
from rtgym_ros.contract.messages.stamp_reader import StampReader

DEEP = 5
QOS = QoSProfile(depth=DEEP, reliability=ReliabilityPolicy.RELIABLE)
JOINTS = [f"joint_{i}" for i in range(12)]
WANTED = JOINTS[7], JOINTS[3], JOINTS[0], JOINTS[11]


class Never(CallbackGroup):
    """Keeps a subscription out of the executor."""

    def can_execute(self, entity):
        return False


def message_class(name):
    package, _, name = name.partition("/")
    return getattr(import_module(f"{package}.msg"), name)


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
