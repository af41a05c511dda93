"""An image, beside the raw take of it."""

import time

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Image

from benchmarks.fields.readers import QOS, Taking, message_class
from benchmarks.fields.turns import report, timed
from rtgym_ros.contract.conversions.images import ImageReader
from rtgym_ros.contract.messages.layout import layout_of

TARGET = 1.2


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
    report(times, "rtgym_ros", ["raw take"], TARGET, 4)
    for node in nodes:
        node.destroy_node()
