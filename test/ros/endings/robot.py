"""A robot that publishes its state and writes down every command that it receives: ``robot.py NAMESPACE FILE``.

A line of FILE is the time (s, the machine's monotonic clock) and the command. It ends when its standard input closes,
and ignores the signals of a terminal.
"""

import select
import signal
import sys
import time

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Float64

from rtgym_ros.ros.command_publisher import COMMAND_QOS
from rtgym_ros.ros.latest_subscription import sensor_qos
from rtgym_ros.ros.pulled_subscription import PulledSubscription


def main():
    namespace, path = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    context = Context()
    rclpy.init(args=["robot"], context=context, signal_handler_options=SignalHandlerOptions.NO)
    node = Node("robot", namespace=namespace, context=context)
    state = node.create_publisher(Float64, "state", sensor_qos(1))
    commands = PulledSubscription(node, Float64, "command", COMMAND_QOS)
    sent_at = 0.0
    with open(path, "w", buffering=1) as file:
        while not select.select([sys.stdin], [], [], 0.001)[0]:
            for message, _ in commands.take():
                file.write(f"{time.monotonic()} {message.data}\n")
            if time.monotonic() - sent_at > 0.02:
                sent_at = time.monotonic()
                state.publish(Float64(data=1.0))
    node.destroy_node()
    context.shutdown()


if __name__ == "__main__":
    main()
