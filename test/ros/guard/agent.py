"""An agent that drives, and that hangs in an endless loop once its standard input closes."""

import os
import sys
import threading
import time

from geometry_msgs.msg import TwistStamped

from rtgym_ros.ros.command_publisher import CommandPublisher
from rtgym_ros.ros.session import RosSession

SPEED, TURN_RATE, PERIOD_S = 0.2, 0.5, 0.05


def main(namespace, stdin=0):
    """Send one command a period until ``stdin`` closes."""
    session = RosSession("agent", namespace, arguments=["program"])
    publisher = CommandPublisher(session.node, TwistStamped, "agent/cmd_vel")
    hang = threading.Event()
    threading.Thread(target=lambda: (os.read(stdin, 1), hang.set()), daemon=True).start()
    message = TwistStamped()
    message.twist.linear.x, message.twist.angular.z = SPEED, TURN_RATE
    while not hang.is_set():
        publisher.publish(message)
        time.sleep(PERIOD_S)
    print("loops", flush=True)
    while True:
        pass


if __name__ == "__main__":
    main(sys.argv[1])
