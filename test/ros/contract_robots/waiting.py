"""Waiting for a simulated robot in a process of its own."""

import time

from rtgym_ros.ros.session import RosSession


def wait_for(namespace):
    """Wait until the robot of a namespace is there."""
    session = RosSession("waiting", namespace, arguments=["program"])
    try:
        end = time.monotonic() + 60.0
        while not session.node.count_publishers("robot_ready"):
            assert time.monotonic() < end, "no robot"
            time.sleep(0.05)
    finally:
        session.close()
