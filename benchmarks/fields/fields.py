"""Twelve fields of three messages, by each of the readers."""

import time

import numpy as np
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import Imu, JointState

from benchmarks.fields.readers import DEEP, JOINTS, QOS, FullTakes, OrdinaryNode, OurReaders
from benchmarks.fields.turns import compare, report

TARGET = 0.4


def messages():
    rng = np.random.default_rng(0)
    odometry, imu = Odometry(), Imu()
    odometry.header.frame_id, odometry.child_frame_id, imu.header.frame_id = "odom", "base_link", "imu_link"
    odometry.pose.pose.position.x, odometry.twist.twist.linear.x = rng.normal(size=2)
    imu.angular_velocity.z = float(rng.normal())
    joints = JointState(name=JOINTS)
    joints.position, joints.velocity, joints.effort = rng.normal(size=(3, len(JOINTS))).tolist()
    return [odometry, joints, imu]


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
