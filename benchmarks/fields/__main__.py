"""What it costs to read fields out of messages: beside an ordinary rclpy node, and beside a raw take.

    ./dev shell -c "python -m benchmarks.fields [ROUNDS]"

Each round publishes five messages a topic, waits until they have come, and has every reader read the same ones; who
reads first changes from round to round, and rounds in which everybody was first once count together. A time is the
median over the rounds, a ratio the median over those groups.
"""

import os
import sys

os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

import rclpy

from benchmarks.fields.fields import fields
from benchmarks.fields.image import image


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
